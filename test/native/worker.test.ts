/** Worker threads share mappings by handle, and may end at any moment. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import type { Mapping } from '../../lib/backend/mapping.ts';
import { inGuest } from '../support/environment.ts';
import { isMapped, mapCount } from './memory-map.mjs';
import { addon, collectGarbage, pageSizeBytes, touchedMapping, unwrap } from './raw-addon.mjs';

const ROUNDS = inGuest ? 5 : 50;
// A thread keeps its share of the allocator's arenas; it may grow, but not with each round.
const MAPS_GROWTH_MAX = 60;

const shared = touchedMapping(1024);
afterAll(() => addon.munmap(shared));

interface RunningWorker {
  readonly worker: Worker;
  /** Listened for from the start: a short task may have ended before anybody asks. */
  readonly exited: Promise<unknown>;
}

/** Resolves when the worker is in the middle of its task. */
async function startWorker(task: string, mapping: Mapping): Promise<RunningWorker> {
  const file = new URL('./worker-body.mjs', import.meta.url);
  const worker = new Worker(file, { workerData: { task, handle: mapping.handle } });
  const exited = once(worker, 'exit');
  await once(worker, 'message');
  return { worker, exited };
}

describe('a worker thread', () => {
  it('attaches to a mapping and writes its bytes', async () => {
    const bytes = new Uint8Array(unwrap(addon.array_buffer(shared)));
    bytes[0] = 41;
    await (await startWorker('attach', shared)).exited;
    expect(bytes[0]).toBe(42);
  });

  it('that ends without munmap gives its share up', async () => {
    const mapping = touchedMapping(1);
    const { exited } = await startWorker('attach', mapping);
    addon.munmap(mapping);
    await exited;
    await collectGarbage();
    expect(isMapped(mapping.address)).toBe(false);
  });

  it(`may be terminated in the middle of moves, ${ROUNDS} times`, async () => {
    const bytes = new Uint8Array(unwrap(addon.array_buffer(shared)));
    bytes.fill(7);
    await (await startWorker('moves', shared)).worker.terminate();
    const before = mapCount();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { worker } = await startWorker('moves', shared);
      if (round % 3 === 1) await new Promise((resolve) => setTimeout(resolve, round % 7));
      await worker.terminate();
    }
    expect(mapCount() - before).toBeLessThan(MAPS_GROWTH_MAX);
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  it.each(['give', 'giveAndForget'])(
    'leaves memory that was taken from its owner to who has it: %s',
    async (task) => {
      for (let round = 0; round < 5; round += 1) {
        const file = new URL('./worker-body.mjs', import.meta.url);
        const worker = new Worker(file, { workerData: { task } });
        const exited = once(worker, 'exit');
        const [taken] = (await once(worker, 'message')) as [ArrayBuffer];
        await exited;
        const next = touchedMapping(taken.byteLength / pageSizeBytes);
        new Uint8Array(unwrap(addon.array_buffer(next))).fill(7);
        const bytes = new Uint8Array(taken);
        expect(bytes.every((byte) => byte === 0x5a)).toBe(true);
        bytes.fill(0xa5);
        expect(new Uint8Array(unwrap(addon.array_buffer(next)))[0]).toBe(7);
        addon.munmap(next);
      }
    },
  );

  it('leaves nothing of ArrayBuffers that were collected right before it ends', async () => {
    await (await startWorker('forget', shared)).exited;
    const before = mapCount();
    for (let round = 0; round < 10; round += 1) {
      await (await startWorker('forget', shared)).exited;
    }
    // 20 mappings each.
    expect(mapCount() - before).toBeLessThan(MAPS_GROWTH_MAX);
  });

  it('may exit while its bytes and its moves are alive', async () => {
    await (await startWorker('exit', shared)).exited;
    const before = mapCount();
    for (let round = 0; round < 10; round += 1) {
      await (await startWorker('exit', shared)).exited;
    }
    expect(mapCount() - before).toBeLessThan(MAPS_GROWTH_MAX);
  });
});
