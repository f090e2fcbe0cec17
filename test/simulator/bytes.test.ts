/** Buffers of the simulator have real bytes: what is written there is seen by the next call. */

import { describe, expect, test } from 'vitest';
import { bind, interleave, type Numa, openNuma } from '../../lib/index.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { thrownBy } from '../core/thrown.ts';

function open(): { numa: Numa; machine: Machine; page: number } {
  const machine = new Machine(presets.fourNodes);
  const numa = openNuma({ machine });
  return { numa, machine, page: numa.pageSizeBytes };
}

describe('writes to bytes', () => {
  test('place pages under the policy in force, at the next call', () => {
    const { numa, page } = open();
    const buffer = numa.allocate(8 * page);
    numa.thread.withPolicy(bind(1), () => buffer.bytes.fill(1, 0, 2 * page));
    numa.thread.withPolicy(bind(2), () => buffer.bytes.fill(1, page, 3 * page));
    expect(buffer.residencySync()).toMatchObject({
      pages: { present: 3, notPresent: 5 },
      byNode: { 1: 2, 2: 1 },
    });
  });

  test('are seen at the last byte of a page, and in a page that was only read', () => {
    const { numa, page } = open();
    const buffer = numa.allocate(3 * page);
    buffer.touch({ access: 'read' });
    expect(buffer.residencySync().pages).toMatchObject({ zeroPage: 3, present: 0 });
    buffer.bytes[3 * page - 1] = 1;
    buffer.bytes[page] = 1;
    expect(buffer.residencySync().pages).toMatchObject({ zeroPage: 1, present: 2 });
  });

  test('of zeros are not seen: exact tests use touch()', () => {
    const { numa, page } = open();
    const buffer = numa.allocate(2 * page);
    buffer.bytes.fill(0);
    expect(buffer.residencySync().pages.present).toBe(0);
    buffer.touch();
    expect(buffer.residencySync().pages.present).toBe(2);
  });

  test('come in ascending order, whatever was written first', () => {
    const { numa, page } = open();
    const [first, second] = [numa.allocate(4 * page), numa.allocate(4 * page)];
    const policy = interleave('0-1');
    numa.thread.setPolicy(policy);
    for (const buffer of [second, first]) buffer.bytes.fill(1);
    expect(first.residencySync().byNode).toEqual({ 0: 2, 1: 2 });
    expect(second.residencySync().byNode).toEqual({ 0: 2, 1: 2 });
  });

  test('survive every move', async () => {
    const { numa, page } = open();
    const buffer = numa.allocate(100 * page + 7);
    for (let at = 0; at < buffer.bytes.length; at += 1) buffer.bytes[at] = at % 251;
    const before = buffer.bytes.slice();
    await buffer.migrate({ to: 1, strict: true });
    buffer.setPolicy(bind(2), { move: 'own', strict: true });
    await numa.process().migrate({ from: 2, to: 3 });
    expect(buffer.residencySync().byNode).toEqual({ 3: 101 });
    expect(Buffer.compare(buffer.bytes, before)).toBe(0);
  });

  test('that no node has room for end the process, as a kernel would', () => {
    const { numa, machine, page } = open();
    const free = Number(numa.freeMemory(3));
    const buffer = numa.allocate(free + page, { policy: bind(3) });
    buffer.bytes.fill(1);
    expect(() => buffer.residencySync()).toThrow(/ESRCH/);
    expect(machine.self.isRunning).toBe(false);
    expect(machine.invariantBreaches()).toEqual([]);
  });
});

describe('a mapping', () => {
  test('of terabytes can be modelled as long as nobody asks for its bytes', async () => {
    const { numa } = open();
    const before = Number(numa.freeMemory(0));
    const buffer = numa.allocate(2 ** 40);
    buffer.touch({ lengthBytes: 2 ** 28 });
    expect(numa.freeMemory(0)).toBe(before - 2 ** 28);
    buffer.release();
    expect(numa.freeMemory(0)).toBe(before);
  });

  test('keeps its bytes for owners that have not looked yet', () => {
    const { numa, page } = open();
    const first = numa.allocate(page);
    const second = numa.attach(first.handle);
    first.bytes[5] = 42;
    const view = first.bytes;
    first.release();
    expect([view.length, second.bytes[5]]).toEqual([0, 42]);
    second.release();
  });
});

describe('a buffer of the engine', () => {
  test('is the same area for all of its views, with what was written to it', () => {
    const { numa, page } = open();
    const bytes = new Uint8Array(8 * page);
    const first = numa.view(bytes);
    expect(first.edges).toEqual({ leadingBytes: page - 16, trailingBytes: 16 });
    expect(first.residencySync().pages.notPresent).toBe(7);
    // The bytes in front of the first whole page share one with the allocator's header.
    numa.thread.withPolicy(bind(2), () => bytes.fill(1, page, 3 * page));
    const second = numa.view(bytes.subarray(page));
    expect(second.address - first.address).toBe(BigInt(page));
    expect(first.residencySync()).toMatchObject({ byNode: { 2: 3 }, pages: { notPresent: 4 } });
    expect(second.residencySync().byNode).toEqual({ 2: 2 });
  });

  test('that may not be written is not, and says so', () => {
    const { numa, machine, page } = open();
    const view = numa.view(new SharedArrayBuffer(4 * page));
    const { address, pageCount } = view;
    expect(machine.self.memory.mprotect({ address, pageCount }, 'read').ok).toBe(true);
    view.touch({ access: 'read' });
    const { code, message } = thrownBy(() => view.touch());
    expect([code, message]).toEqual([
      'NUMA_UNSUPPORTED',
      expect.stringContaining('read what may only be read'),
    ]);
  });
});
