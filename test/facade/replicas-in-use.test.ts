/** Threads that read replicas as quickly as they can while versions are published. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { OwnedReplicas } from '../../lib/index.ts';
import { inGuest } from '../support/environment.ts';
import { memoryNodes, numa } from './machine.ts';
import { hasOtherThreads } from './subject.ts';

interface Tally {
  readonly reads: number;
  readonly runs: number;
  readonly torn: number;
  readonly wentDown: number;
  readonly versions: number;
  readonly nodes: readonly number[];
}

/** In one turn of the publisher's, or in several. */
const LENGTHS = inGuest ? [1024] : [64, 2 ** 20];
const PUBLISH_MS = inGuest ? 1000 : 400;

describe('two workers that read while versions are published', () => {
  test.for(LENGTHS)('see each of %d words in one version', async (length, context) => {
    if (!existsSync(new URL('../../dist/index.js', import.meta.url))) {
      context.skip('dist is missing: npm run build:ts');
    }
    using replicas = await numa.replicate(new Int32Array(length));
    const stop = new SharedArrayBuffer(4);
    const workers = readersOf(replicas, stop);
    try {
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      const end = performance.now() + PUBLISH_MS;
      let published = 0;
      while (performance.now() < end) {
        published = await replicas.publish((draft) => void draft.fill((draft[0] as number) + 1));
        // Readers of one CPU have a turn, too.
        await sleep(0);
      }
      const tallies = workers.map(async (worker) => (await once(worker, 'message'))[0] as Tally);
      Atomics.store(new Int32Array(stop), 0, 1);
      for (const tally of await Promise.all(tallies)) {
        expect(tally).toMatchObject({ torn: 0, wentDown: 0 });
        expect(tally.versions).toBeGreaterThan(1);
        expect(tally.versions).toBeLessThanOrEqual(published);
        if (hasOtherThreads) for (const node of tally.nodes) expect(memoryNodes).toContain(node);
      }
      expect(replicas.local().read((words) => words[length - 1])).toBe(published - 1);
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  });
});

/** One on each of two nodes that have a CPU, where there are two. */
function readersOf(replicas: OwnedReplicas<Int32Array>, stop: SharedArrayBuffer): Worker[] {
  const cpus = numa.topology.nodes.flatMap(({ cpus: own }) => own?.slice(0, 1) ?? []);
  const allowed = hasOtherThreads ? cpus.filter((cpu) => numa.thread.affinity().has(cpu)) : [];
  const { handle } = replicas;
  const backend = numa.backend.kind;
  return [0, 1].map((at) => {
    const workerData = { handle, stop, backend, cpu: allowed[at % allowed.length] };
    const file = new URL('workers/replica-reader.mjs', import.meta.url);
    // The flags of the test runner are not for this thread.
    return new Worker(file, { workerData, execArgv: [] });
  });
}
