/** Repeating a call costs no memory and no address range in the end. */

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inGuest } from '../support/environment.ts';
import { mapCount } from './memory-map.mjs';
import {
  addon,
  collectGarbage,
  newStatus,
  pageSizeBytes,
  touchedMapping,
  unwrap,
} from './raw-addon.mjs';

const ROUNDS = inGuest ? 200 : 3000;
const MEBIBYTE = 2 ** 20;
// What V8's heap may keep after the warm-up; a leak of one page in each round is above it.
const RSS_GROWTH_MAX = (ROUNDS * pageSizeBytes) / 2 + 4 * MEBIBYTE;
const MAPS_GROWTH_MAX = 100;

async function expectNoGrowth(
  round: () => void | Promise<void>,
  rounds: number = ROUNDS,
): Promise<void> {
  for (let count = 0; count < rounds / 5; count += 1) await round();
  await collectGarbage();
  const before = { rss: process.memoryUsage.rss(), maps: mapCount() };
  for (let count = 0; count < rounds; count += 1) {
    await round();
    if (count % 100 === 0) await collectGarbage();
  }
  await collectGarbage();
  expect(process.memoryUsage.rss() - before.rss).toBeLessThan(RSS_GROWTH_MAX);
  expect(mapCount() - before.maps).toBeLessThan(MAPS_GROWTH_MAX);
}

describe('no memory is lost by', () => {
  it('mmap and munmap', () => expectNoGrowth(() => addon.munmap(touchedMapping(8))));

  it('mmap, bytes and munmap', () =>
    expectNoGrowth(() => {
      const mapping = touchedMapping(8);
      unwrap(addon.array_buffer(mapping));
      addon.munmap(mapping);
    }));

  it('shared memory, huge or with its descriptor mapped again', () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    return expectNoGrowth(() => {
      const shared = unwrap(addon.mmap_with(8 * pageSizeBytes, 0, 0, 1, -1, 0));
      const again = addon.mmap_with(pageSizeBytes, 0, 0, 1, shared.descriptor ?? -1, 0);
      unwrap(addon.array_buffer(unwrap(again)));
      addon.mmap_with(2 ** 40, 0, 2 ** 21, 1, -1, 0);
      addon.munmap(unwrap(again));
      addon.munmap(shared);
    }).then(() => expect(descriptors()).toBe(before));
  });

  it('shared memory that is left to the garbage collector', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 50; round += 1) {
      unwrap(addon.mmap_with(pageSizeBytes, 0, 0, 1, -1, 0));
    }
    await collectGarbage();
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 10);
  });

  it('owners that are left to the garbage collector', () =>
    expectNoGrowth(() => {
      const mapping = touchedMapping(8);
      unwrap(addon.attach(mapping.handle.id, mapping.handle.generation));
    }));

  it('ArrayBuffers that are left to the garbage collector', () =>
    expectNoGrowth(() => {
      unwrap(addon.array_buffer(touchedMapping(8)));
    }));

  it('moves on the pool', async () => {
    const mapping = touchedMapping(64);
    const status = newStatus(64);
    await expectNoGrowth(async () => {
      await addon.move_pages_async(0, 64, mapping.address, 0, status, 2, mapping);
    });
    addon.munmap(mapping);
  });

  it('ArrayBuffers that cannot be made', () =>
    // Each such mapping is large enough to start a garbage collection: few rounds.
    expectNoGrowth(() => {
      const result = addon.mmap(2 ** 32 + pageSizeBytes);
      if (!result.ok) return; // Refused by this machine's overcommit rule.
      addon.array_buffer(result.value);
      addon.munmap(result.value);
    }, 100));

  it('refused arguments and refused calls', () =>
    expectNoGrowth(() => {
      expect(() => addon.mmap(Number.NaN)).toThrow();
      addon.mmap(0);
      addon.attach(10 ** 6, 1);
    }));
});
