/** Real worker threads on one buffer: no update is lost, and a thread's end harms nobody. */

import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, type TestContext, test } from 'vitest';
import { inGuest } from '../support/environment.ts';
import { firstNode, memoryNodes, numa } from './machine.ts';
import {
  allocateOn,
  checksum,
  expectTrueOf,
  PAGE,
  pagesIn,
  writePattern,
} from './placed-buffer.ts';

const otherNode = memoryNodes[1] ?? firstNode;

function startWorker(context: TestContext, name: string, workerData?: unknown): Worker {
  if (!existsSync(new URL('../../dist/index.js', import.meta.url))) {
    context.skip('dist is missing: npm run build:ts');
  }
  // The flags of the test runner are not for this thread.
  const options = { workerData, execArgv: [] };
  return new Worker(new URL(`workers/${name}.mjs`, import.meta.url), options);
}

async function nextMessage<T>(worker: Worker): Promise<T> {
  const [message] = (await once(worker, 'message')) as [T];
  return message;
}

describe('a handle', () => {
  test('names the same memory in another thread until its last owner goes', async (context) => {
    const worker = startWorker(context, 'attacher');
    try {
      const buffer = allocateOn(firstNode, 3);
      buffer.bytes[0] = 42;
      const ask = (handle: unknown): Promise<unknown> => {
        worker.postMessage(handle);
        return nextMessage(worker);
      };
      const { address, lengthBytes, handle } = buffer;
      expect(await ask(handle)).toEqual({ address, lengthBytes, first: 42 });
      expect(buffer.bytes[0]).toBe(99);

      const second = numa.attach(handle);
      buffer.release();
      expect(await ask(handle)).toEqual({ address, lengthBytes, first: 99 });
      second.release();
      expect(await ask(handle)).toMatchObject({
        code: 'NUMA_RELEASED',
        syscall: 'attach',
        hint: expect.stringContaining('until every worker has attached'),
      });
    } finally {
      await worker.terminate();
    }
  });
});

describe('a thread that is terminated', () => {
  test('leaves no descriptor of a file that was being read for it', async (context) => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const run = async (ms: number): Promise<void> => {
      const worker = startWorker(context, 'file-reader');
      await nextMessage(worker);
      await sleep(ms);
      await worker.terminate();
    };
    await run(1);
    const before = descriptors();
    for (let round = 0; round < (inGuest ? 1 : 4); round += 1) await run(round);
    expect(descriptors()).toBeLessThan(before + 3);
  });
});

interface Tally {
  readonly role: 'writer' | 'reader';
  readonly rounds: number;
  readonly wentDown: number;
}

describe('a buffer that others use while it moves', () => {
  test('loses no update while it moves back and forth', async (context) => {
    using buffer = allocateOn(firstNode, pagesIn(2));
    const moves = inGuest ? 4 : 20;
    const strideWords = PAGE / 4 / 2;
    const stop = new SharedArrayBuffer(4);
    const workers = (['writer', 'reader'] as const).map((role) =>
      startWorker(context, 'counter', { handle: buffer.handle, role, stop, strideWords }),
    );
    try {
      await Promise.all(workers.map((worker) => nextMessage(worker)));
      let moved = 0;
      for (let move = 0; move < moves; move += 1) {
        const to = move % 2 === 0 ? otherNode : firstNode;
        const report = await buffer.migrate({ to });
        // A page in use may resist for a moment; none may be lost.
        expectTrueOf(buffer, report);
        expect(report.pages.notPresent).toBe(0);
        moved += report.pages.moved;
      }
      // Most pages must have gone most of the times, or nothing was shown.
      if (otherNode !== firstNode) expect(moved).toBeGreaterThan((moves / 2) * buffer.pageCount);
      const tallies = workers.map((worker) => nextMessage<Tally>(worker));
      Atomics.store(new Int32Array(stop), 0, 1);
      const [writer, reader] = (await Promise.all(tallies)) as [Tally, Tally];
      expect(reader.wentDown).toBe(0);
      expect(writer.rounds).toBeGreaterThan(0);
      expect(reader.rounds).toBeGreaterThan(0);
      const words = new Int32Array(buffer.bytes.buffer);
      for (let index = 0; index < words.length; index += strideWords) {
        expect(words[index]).toBe(writer.rounds);
      }
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  });

  test('survives threads that are terminated in the middle of a move', async (context) => {
    using buffer = allocateOn(firstNode, pagesIn(8));
    writePattern(buffer);
    const sum = checksum(buffer);
    const nodes = [otherNode, firstNode];
    for (let round = 0; round < (inGuest ? 2 : 12); round += 1) {
      const worker = startWorker(context, 'mover', { handle: buffer.handle, nodes });
      const failure = once(worker, 'error').then(([error]) => error as Error);
      const first = await Promise.race([nextMessage(worker), failure]);
      expect(first).toEqual({ ready: true });
      await sleep((round * 7) % 20);
      expect(await worker.terminate()).toBe(1);
      expect(buffer.residencySync().pages.present).toBe(buffer.pageCount);
      expect(checksum(buffer)).toBe(sum);
    }
    const report = await buffer.migrate({ to: otherNode, strict: true });
    expectTrueOf(buffer, report);
    expect(checksum(buffer)).toBe(sum);
  });

  test('outlives its maker when a thread that attached still moves it', async (context) => {
    const buffer = allocateOn(firstNode, pagesIn(1));
    const nodes = [otherNode, firstNode];
    const worker = startWorker(context, 'mover', { handle: buffer.handle, nodes });
    expect(await nextMessage(worker)).toEqual({ ready: true });
    const { handle } = buffer;
    buffer.release();
    await sleep(20);
    using again = numa.attach(handle);
    expect(again.residencySync().pages.present).toBe(pagesIn(1));
    expect(await worker.terminate()).toBe(1);
  });
});
