/** Very many mappings, threads and processes: too slow for a test where the work is quadratic. */

import { describe, expect, it } from 'vitest';
import { bind, openNuma } from '../../lib/index.ts';
import { Machine } from '../../lib/simulator/public.ts';

const BUFFERS = 20_000;
const VIEWS = 2000;
const TASKS = 10_000;

describe('very many on a simulated machine', () => {
  it('buffers are allocated, written, found and released', () => {
    const numa = openNuma({ machine: new Machine() });
    const size = numa.pageSizeBytes;
    const buffers = Array.from({ length: BUFFERS }, () => numa.allocate(size));
    for (const buffer of buffers) buffer.bytes.fill(1);
    const last = buffers[0]?.residencySync();
    expect(last?.pages.present).toBe(1);
    for (const buffer of buffers) buffer.release();
  });

  it('views of buffers are placed, touched, written and released', () => {
    const numa = openNuma({ machine: new Machine() });
    const bytes = Array.from({ length: VIEWS }, () => new Uint8Array(4 * numa.pageSizeBytes));
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
  });

  it('a page that has gone is written again', () => {
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

  it('threads begin, and are found', () => {
    const { mainThread } = new Machine().self;
    const threads = Array.from({ length: TASKS }, () => mainThread.thread());
    expect(threads.filter(({ backend }) => backend.getcpu().ok)).toHaveLength(TASKS);
  });

  it('processes begin and end', () => {
    const machine = new Machine();
    const processes = Array.from({ length: TASKS }, () => machine.process());
    for (const process of processes) process.exit();
    expect(machine.invariantBreaches()).toEqual([]);
  });
});
