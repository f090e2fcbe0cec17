/** Worker threads share mappings by handle, and may end at any moment. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import type { Mapping } from '../../lib/backend/mapping.ts';
import { inGuest } from '../support/environment.ts';
import { isMapped, mapCount } from './memory-map.mjs';
import { addon, collectGarbage, touchedMapping, unwrap } from './raw-addon.mjs';

const ROUNDS = inGuest ? 5 : 50;
// A thread keeps its share of the allocator's arenas; it may grow, but not with each round.
const MAPS_GROWTH_MAX = 60;

const shared = touchedMapping(1024);
afterAll(() => addon.munmap(shared));

async function startWorker(task: string, mapping: Mapping): Promise<Worker> {
  const file = new URL('./worker-body.mjs', import.meta.url);
  const worker = new Worker(file, { workerData: { task, handle: mapping.handle } });
  await once(worker, 'message');
  return worker;
}

describe('a worker thread', () => {
  it('attaches to a mapping and writes its bytes', async () => {
    const bytes = new Uint8Array(unwrap(addon.array_buffer(shared)));
    bytes[0] = 41;
    await once(await startWorker('attach', shared), 'exit');
    expect(bytes[0]).toBe(42);
  });

  it('that ends without munmap gives its share up', async () => {
    const mapping = touchedMapping(1);
    const worker = await startWorker('attach', mapping);
    addon.munmap(mapping);
    await once(worker, 'exit');
    await collectGarbage();
    expect(isMapped(mapping.address)).toBe(false);
  });

  it(`may be terminated in the middle of moves, ${ROUNDS} times`, async () => {
    const bytes = new Uint8Array(unwrap(addon.array_buffer(shared)));
    bytes.fill(7);
    await (await startWorker('moves', shared)).terminate();
    const before = mapCount();
    for (let round = 0; round < ROUNDS; round += 1) {
      const worker = await startWorker('moves', shared);
      if (round % 3 === 1) await new Promise((resolve) => setTimeout(resolve, round % 7));
      await worker.terminate();
    }
    expect(mapCount() - before).toBeLessThan(MAPS_GROWTH_MAX);
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  it('may exit while its bytes and its moves are alive', async () => {
    await once(await startWorker('exit', shared), 'exit');
    const before = mapCount();
    for (let round = 0; round < 10; round += 1) {
      await once(await startWorker('exit', shared), 'exit');
    }
    expect(mapCount() - before).toBeLessThan(MAPS_GROWTH_MAX);
  });
});
