/**
 * Very many mappings, views, threads and processes: work on them goes by their number, not by its
 * square. Told by the CPU's time for few and for many, which the load of others does not change.
 */

import { describe, expect, test } from 'vitest';
import { bind, type Numa, openNuma } from '../../lib/index.ts';
import { Machine } from '../../lib/simulator/public.ts';
import { scaledTimeoutMs } from '../support/environment.ts';

const timeout = scaledTimeoutMs(120_000);
const BUFFERS = 20_000;
const VIEWS = 2000;
const TASKS = 10_000;

/** Few of them are an eighth: many take 8 times as long by their number, 64 by its square. */
const FEW = 8;
const RATIO_MAX = 24;

function cpuMicroseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function expectByNumber(count: number, run: (count: number) => void): void {
  // Compiled, and with what the first ones make.
  run(count / FEW);
  const few = cpuMicroseconds(() => run(count / FEW));
  const many = cpuMicroseconds(() => run(count));
  expect(many / few).toBeLessThan(RATIO_MAX);
}

function useBuffers(numa: Numa, count: number): void {
  const size = numa.pageSizeBytes;
  const buffers = Array.from({ length: count }, () => numa.allocate(size));
  for (const buffer of buffers) buffer.bytes.fill(1);
  expect(buffers[0]?.residencySync().pages.present).toBe(1);
  for (const buffer of buffers) buffer.release();
}

function useViews(numa: Numa, count: number): void {
  const bytes = Array.from({ length: count }, () => new Uint8Array(4 * numa.pageSizeBytes));
  const views = bytes.map((array) => numa.view(array));
  for (const view of views) {
    view.setPolicy(bind(1));
    view.touch({ lengthBytes: numa.pageSizeBytes });
  }
  for (const array of bytes) array.fill(1);
  for (const view of views.slice(0, 3)) {
    expect(view.residencySync().byNode).toEqual({ 1: view.pageCount });
  }
  for (const view of views) view.release();
  expect(views[0]?.isReleased).toBe(true);
}

describe('very many on a simulated machine', { timeout }, () => {
  test('buffers are allocated, written, found and released', () => {
    expectByNumber(BUFFERS, (count) => useBuffers(openNuma({ machine: new Machine() }), count));
  });

  test('views of buffers are placed, touched, written and released', () => {
    expectByNumber(VIEWS, (count) => useViews(openNuma({ machine: new Machine() }), count));
  });

  test('a page that has gone is written again', () => {
    const machine = new Machine();
    const numa = openNuma({ machine });
    const buffer = numa.allocate(2 * numa.pageSizeBytes);
    buffer.bytes.fill(1);
    expect(buffer.residencySync().pages.present).toBe(2);
    const { address } = buffer;
    machine.self.memory.munmap({ address, pageCount: 1 });
    machine.self.memory.mmap({ address, pageCount: 1 });
    expect(buffer.residencySync().pages.present).toBe(2);
  });

  test('threads begin, and are found', () => {
    expectByNumber(TASKS, (count) => {
      const { mainThread } = new Machine().self;
      const threads = Array.from({ length: count }, () => mainThread.thread());
      expect(threads.filter(({ backend }) => backend.getcpu().ok)).toHaveLength(count);
    });
  });

  test('processes begin and end', () => {
    expectByNumber(TASKS, (count) => {
      const machine = new Machine();
      const processes = Array.from({ length: count }, () => machine.process());
      for (const process of processes) process.exit();
      expect(machine.invariantBreaches()).toEqual([]);
    });
  });
});
