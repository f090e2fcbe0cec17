/** Moves by copies while others look at the memory, write to it, or end. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { MADV } from '../../lib/core/uapi.ts';
import { addon, pageSizeBytes, touchedMapping, unwrap } from './raw-addon.mjs';

const PAGE_COUNT = 2048;
const ROUNDS = 6;
const BODY = new URL('workers/copy-racer.mjs', import.meta.url);

const workers: Worker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

function mappingAndBytes() {
  const mapping = touchedMapping(PAGE_COUNT);
  return { mapping, bytes: new Uint8Array(unwrap(addon.array_buffer(mapping))) };
}

async function start(task: string, mapping: ReturnType<typeof touchedMapping>): Promise<Worker> {
  const worker = new Worker(BODY, { workerData: { task, handle: mapping.handle } });
  workers.push(worker);
  await once(worker, 'message');
  return worker;
}

async function copy(mapping: ReturnType<typeof touchedMapping>): Promise<void> {
  const pending = addon.copy_pages_async(mapping, 0, mapping.lengthBytes, 0, [], 0, null, 0, -1, 0);
  const { errno, status } = unwrap(await pending);
  expect(errno).toBe(0);
  expect(status.every((place) => place === 0)).toBe(true);
}

async function moveKept(mapping: ReturnType<typeof touchedMapping>): Promise<number> {
  const how = [0, [], 0, null, 0, MADV.HUGEPAGE, 1] as const;
  return unwrap(await addon.copy_pages_async(mapping, 0, mapping.lengthBytes, ...how)).errno;
}

describe('copies that take the place of pages', () => {
  it('show a reader no other byte', async () => {
    const { mapping, bytes } = mappingAndBytes();
    for (let at = 0; at < bytes.length; at += pageSizeBytes)
      bytes[at] = 1 + ((at / pageSizeBytes) % 255);
    const reader = await start('read', mapping);
    for (let round = 0; round < ROUNDS; round += 1) await copy(mapping);
    reader.postMessage('end');
    const [{ reads, wrong }] = await once(reader, 'message');
    expect(reads).toBeGreaterThan(PAGE_COUNT);
    expect(wrong).toBe(0);
    addon.munmap(mapping);
  });

  it('leave the memory to its owner as soon as their end is told', async () => {
    const { mapping } = mappingAndBytes();
    await copy(mapping);
    const longer = unwrap(addon.mremap(mapping, 2 * mapping.lengthBytes, new BigUint64Array()));
    addon.munmap(longer);
  });

  it('are made in the huge pages of earlier ones, and show no byte of these', async () => {
    const owners = [1, 2].map((byte) => {
      const mapping = unwrap(addon.mmap_with(PAGE_COUNT * pageSizeBytes, 2 ** 21, 0, 0, -1, 0));
      unwrap(addon.madvise(mapping, 0, mapping.lengthBytes, MADV.HUGEPAGE));
      const bytes = new Uint8Array(unwrap(addon.array_buffer(mapping))).fill(byte);
      return { mapping, bytes, byte };
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { mapping } of owners) expect(await moveKept(mapping)).toBe(0);
      // Two of the same pages: neither copies what the other has put aside.
      const both = owners.slice(0, 1).flatMap(({ mapping }) => [mapping, mapping]);
      expect(await Promise.all(both.map(moveKept))).toEqual([0, 0]);
      for (const { bytes, byte } of owners) {
        expect(Buffer.alloc(bytes.length, byte).equals(bytes)).toBe(true);
      }
    }
    for (const { mapping } of owners) addon.munmap(mapping);
  });

  it('go on over the end of the memory and of the thread that asked for them', async () => {
    const { mapping, bytes } = mappingAndBytes();
    bytes.fill(7);
    for (let round = 0; round < ROUNDS; round += 1) {
      const worker = await start('copy', mapping);
      await worker.terminate();
      expect(bytes.every((byte) => byte === 7)).toBe(true);
    }
    const pending = addon.copy_pages_async(
      mapping,
      0,
      mapping.lengthBytes,
      0,
      [],
      0,
      null,
      0,
      -1,
      0,
    );
    addon.munmap(mapping);
    expect(unwrap(await pending).errno).toBe(0);
    const late = addon.copy_pages_async(mapping, 0, pageSizeBytes, 0, [], 0, null, 0, -1, 0);
    expect(await late).toMatchObject({ ok: false });
  });
});
