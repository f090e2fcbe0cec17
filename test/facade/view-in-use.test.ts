/** Memory of a running worker moves under it: nothing is lost, the kernel says where it is. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { bind, type ViewableMemory } from '../../lib/index.ts';
import { pagesByNodeOf, parseNumaMaps } from '../../lib/procfs/numa-maps.ts';
import { inGuest } from '../support/environment.ts';
import { needNodes, numa, usesHugePages } from './machine.ts';
import { PAGE } from './placed-buffer.ts';

declare const WebAssembly: {
  Memory: new (shape: object) => { readonly buffer: SharedArrayBuffer };
};

const BYTES = (inGuest ? 1 : 8) * 2 ** 20;
const pages = BYTES / 2 ** 16;

const KINDS: Readonly<Record<string, () => [ViewableMemory, Int32Array]>> = {
  'a SharedArrayBuffer': () => {
    const memory = new SharedArrayBuffer(BYTES);
    return [memory, new Int32Array(memory)];
  },
  'a WebAssembly.Memory': () => {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    return [memory, new Int32Array(memory.buffer)];
  },
};

/** Pages by node of the mapping that begins at an address. */
function inNumaMaps(address: bigint): unknown {
  const lines = parseNumaMaps(readFileSync('/proc/self/numa_maps', 'utf8'));
  const line = lines.find(({ start }) => start === address);
  return line && Object.fromEntries(pagesByNodeOf(line, PAGE) ?? []);
}

describe.each(Object.entries(KINDS))('%s that a worker counts in', (_, make) => {
  test('moves from node to node and loses no count', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    const [memory, words] = make();
    const strideWords = PAGE / 4;
    using view = numa.view(memory);
    numa.thread.withPolicy(bind(home), () => view.touch());
    await view.migrate({ to: home });
    const workerData = { memory, strideWords };
    const worker = new Worker(new URL('workers/atomic-counter.mjs', import.meta.url), {
      ...{ workerData, execArgv: [] },
    });
    try {
      await once(worker, 'message');
      let moved = 0;
      for (const to of [away, home, away, home, away]) {
        moved += (await view.migrate({ to })).pages.moved;
      }
      // A page in use may resist for a moment.
      expect(moved).toBeGreaterThan(2 * view.pageCount);
      const told = once(worker, 'message');
      Atomics.store(words, 0, 1);
      const [{ rounds }] = (await told) as [{ rounds: number }];
      expect(rounds).toBeGreaterThan(0);
      for (let at = 1; at < words.length; at += strideWords) expect(words[at]).toBe(rounds);
    } finally {
      await worker.terminate();
    }
    await view.migrate({ to: away, strict: true });
    if (usesHugePages()) return;
    // A policy of its own makes it a mapping of its own, which numa_maps tells of alone.
    view.setPolicy(bind(away));
    expect(inNumaMaps(view.address)).toEqual({ [away]: view.pageCount });
  });
});
