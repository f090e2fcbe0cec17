/** Another length for a buffer, and arrays over parts of those that are longer than any array. */

import { constants } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { ReadableStream } from 'node:stream/web';
import { describe, expect, test } from 'vitest';
import { bind, interleave, type MappedBuffer, type NumaError } from '../../lib/index.ts';
import { collectGarbage } from '../native/raw-addon.mjs';
import { firstNode, memoryNodes, needNodes, numa } from './machine.ts';
import { chooseHugePages } from './subject.ts';

const PAGE = numa.pageSizeBytes;
const HUGE = (PAGE / 8) * PAGE;

function refusalOf(run: () => unknown): NumaError {
  try {
    run();
  } catch (error) {
    return error as NumaError;
  }
  throw new Error('nothing was refused');
}

/** Undefined where the machine is too small for it. */
function allocated(lengthBytes: number): MappedBuffer | undefined {
  return unlessFull(() => numa.allocate(lengthBytes));
}

function unlessFull<T>(allocate: () => T): T | undefined {
  try {
    return allocate();
  } catch (error) {
    if ((error as NumaError).code === 'NUMA_OUT_OF_MEMORY') return undefined;
    throw error;
  }
}

describe('resize()', () => {
  test('keeps pages, bytes, policy and handle, longer and shorter', () => {
    using buffer = numa.allocate(4 * PAGE + 1, { policy: bind(firstNode) });
    const { bytes } = buffer;
    bytes[0] = 1;
    bytes[4 * PAGE] = 5;
    const { handle } = buffer;
    for (const pageCount of [64, 16]) {
      const before = buffer.bytes;
      buffer.resize(pageCount * PAGE);
      expect(before).toHaveLength(0);
      expect(buffer).toMatchObject({ lengthBytes: pageCount * PAGE, pageCount, handle });
      expect(buffer.bytes).toHaveLength(pageCount * PAGE);
      expect([buffer.bytes[0], buffer.bytes[4 * PAGE], buffer.bytes.at(-1)]).toEqual([1, 5, 0]);
      expect(buffer.residencySync().pages).toMatchObject({ present: 2, total: pageCount });
      expect(`${buffer.policy({ offsetBytes: 15 * PAGE })}`).toBe(`bind:${firstNode}`);
    }
    using second = numa.attach(handle);
    expect(second.bytes[0]).toBe(1);
  });

  test('cuts off what is behind the end', () => {
    using buffer = numa.allocate(8 * PAGE);
    buffer.bytes.fill(7);
    buffer.resize(2 * PAGE);
    buffer.resize(8 * PAGE);
    expect([buffer.bytes[2 * PAGE - 1], buffer.bytes[2 * PAGE]]).toEqual([7, 0]);
    buffer.touch();
    expect(buffer.residencySync().pages.present).toBe(8);
  });

  test('leaves pages on their nodes, and new ones follow the policy', (context) => {
    const [first, other] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(4 * PAGE, { policy: bind(first) });
    buffer.touch();
    buffer.setPolicy(bind(other));
    buffer.resize(6 * PAGE);
    expect(buffer.residencySync().byNode).toEqual({ [first]: 4 });
    buffer.touch();
    expect(buffer.residencySync().byNode).toEqual({ [first]: 4, [other]: 2 });
  });

  test('keeps huge pages whole', async (context) => {
    const restore = chooseHugePages('always') ?? context.skip('changes a setting of the kernel');
    try {
      using buffer = numa.allocate(2 * HUGE, { hugePages: 'transparent' });
      buffer.touch();
      buffer.resize(4 * HUGE);
      expect((await buffer.hugePages()).transparentBytes).toBe(2 * HUGE);
    } finally {
      restore();
    }
  });

  test('is refused while others have it, and all is as it was', async () => {
    using buffer = numa.allocate(4 * PAGE);
    buffer.bytes[0] = 1;
    const second = numa.attach(buffer.handle);
    expect(refusalOf(() => buffer.resize(PAGE))).toMatchObject({ code: 'NUMA_MEMORY_IN_USE' });
    second.release();
    const verb = buffer.populate();
    expect(refusalOf(() => buffer.resize(PAGE))).toMatchObject({ code: 'NUMA_MEMORY_IN_USE' });
    await verb;
    const moving = buffer.migrate({ to: firstNode });
    expect(refusalOf(() => buffer.resize(PAGE)).code).toBe('NUMA_MEMORY_IN_USE');
    await moving;
    expect(buffer.bytes).toHaveLength(4 * PAGE);
    expect(buffer.bytes[0]).toBe(1);
    buffer.resize(PAGE);
    expect(buffer.bytes[0]).toBe(1);
  });

  test('is refused where a script has taken the bytes along', () => {
    using buffer = numa.allocate(PAGE);
    const start = (stream: { enqueue: (bytes: Uint8Array) => void }) =>
      stream.enqueue(buffer.bytes);
    const taken = new ReadableStream({ type: 'bytes', start } as never);
    expect(refusalOf(() => buffer.resize(2 * PAGE)).code).toBe('NUMA_MEMORY_IN_USE');
    expect(taken.locked).toBe(false);
  });

  test('is refused for what cannot have another length', () => {
    using shared = numa.allocate(PAGE, { shared: true });
    expect(refusalOf(() => shared.resize(2 * PAGE))).toMatchObject({ code: 'NUMA_UNSUPPORTED' });
  });

  test('takes parts along that are mappings of their own, each as it was', () => {
    using buffer = numa.allocate(8 * PAGE);
    buffer.bytes.forEach((_, at) => {
      if (at % PAGE === 0) buffer.bytes[at] = at / PAGE + 1;
    });
    buffer.setPolicy(interleave('all'), { offsetBytes: PAGE, lengthBytes: 2 * PAGE });
    buffer.setPolicy(bind(firstNode), { offsetBytes: 6 * PAGE });
    for (const pageCount of [16, 12, 7, 2, 4]) {
      const kept = Math.min(buffer.pageCount, pageCount);
      buffer.resize(pageCount * PAGE);
      const firsts = Array.from({ length: kept }, (_, page) => buffer.bytes[page * PAGE]);
      const wasCut = pageCount === 4;
      const expected = firsts.map((_, page) => (page < 8 && !wasCut ? page + 1 : 0));
      expect(firsts).toEqual(wasCut ? [1, 2] : expected);
      const modes = [0, 1, 2, 3].filter((page) => page < pageCount);
      const words = modes.map((page) => buffer.policy({ offsetBytes: page * PAGE }).mode);
      const all = ['default', 'interleave', 'interleave', wasCut ? 'interleave' : 'default'];
      expect(words).toEqual(all.slice(0, words.length));
      const last = buffer.policy({ offsetBytes: (pageCount - 1) * PAGE });
      expect(last.mode).toBe(pageCount >= 7 ? 'bind' : 'interleave');
    }
  });

  test('takes along what was moved by copies, part by part', async () => {
    using buffer = numa.allocate(12 * PAGE);
    buffer.bytes.fill(3);
    const promise = { concurrency: 'quiesced', mayBePinned: false, way: 'copy' } as const;
    for (const offsetBytes of [0, 4 * PAGE, 8 * PAGE]) {
      const to = memoryNodes.at(-1) as number;
      await buffer.migrate({ to, offsetBytes, lengthBytes: 4 * PAGE, ...promise });
    }
    buffer.resize(20 * PAGE);
    expect(buffer.bytes.subarray(0, 12 * PAGE).every((byte) => byte === 3)).toBe(true);
    expect(buffer.residencySync().pages).toMatchObject({ present: 12, total: 20 });
  });

  test('is refused where there is no room, and for what was released', () => {
    const buffer = numa.allocate(PAGE);
    buffer.bytes[0] = 3;
    const { address } = buffer;
    expect(refusalOf(() => buffer.resize(2 ** 48))).toMatchObject({ code: 'NUMA_OUT_OF_MEMORY' });
    expect(buffer).toMatchObject({ address, lengthBytes: PAGE });
    expect(buffer.bytes[0]).toBe(3);
    buffer.release();
    expect(refusalOf(() => buffer.resize(PAGE))).toMatchObject({ code: 'NUMA_RELEASED' });
    expect(refusalOf(() => buffer.bytesAt(0, 1))).toMatchObject({ code: 'NUMA_RELEASED' });
  });

  test('leaves no mappings behind', () => {
    using buffer = numa.allocate(PAGE);
    const count = () => readFileSync('/proc/self/maps', 'utf8').split('\n').length;
    const before = count();
    for (let round = 1; round <= 40; round += 1) buffer.resize(((round % 5) + 1) * HUGE);
    expect(count()).toBeLessThan(before + 20);
  });
});

describe('bytesAt()', () => {
  test('shows the same bytes', () => {
    using buffer = numa.allocate(4 * PAGE);
    const part = buffer.bytesAt(PAGE - 1, 2);
    part[1] = 9;
    expect(buffer.bytes[PAGE]).toBe(9);
    buffer.resize(8 * PAGE);
    expect(part).toHaveLength(0);
    expect(buffer.bytesAt(PAGE, 1)[0]).toBe(9);
  });

  test('of more than an array can have', (context) => {
    const lengthBytes = 5 * 2 ** 30;
    using buffer = allocated(lengthBytes) ?? context.skip('needs 5 GB that can be committed');
    if (constants.MAX_LENGTH < lengthBytes) {
      const error = refusalOf(() => buffer.bytes);
      expect(error).toMatchObject({ code: 'NUMA_UNSUPPORTED' });
      expect(error.hint).toContain('bytesAt');
    }
    const last = buffer.bytesAt(lengthBytes - PAGE, PAGE);
    last[PAGE - 1] = 4;
    const across = buffer.bytesAt(2 ** 32 - 8, 16);
    across.fill(6);
    expect(buffer.bytesAt(lengthBytes - 1, 1)[0]).toBe(4);
    expect(buffer.bytesAt(2 ** 32, 1)[0]).toBe(6);
    expect(buffer.residencySync().pages.present).toBe(3);
    buffer.release();
    expect([last.length, across.length]).toEqual([0, 0]);
  });

  test('of a SharedArrayBuffer that is longer than an array', (context) => {
    // The simulator looks for writes in all that is not collected.
    context.onTestFinished(collectGarbage);
    const lengthBytes = 5 * 2 ** 30;
    const make = () => numa.allocate(lengthBytes, { sharedArrayBuffer: true });
    using buffer = unlessFull(make) ?? context.skip('needs 5 GB that can be committed');
    if (constants.MAX_LENGTH < lengthBytes) {
      expect(refusalOf(() => buffer.bytes)).toMatchObject({ code: 'NUMA_UNSUPPORTED' });
    } else expect(buffer.bytes).toHaveLength(lengthBytes);
    expect(buffer.lengthBytes).toBe(lengthBytes);
    const across = buffer.bytesAt(2 ** 32 - 4, 8);
    across.fill(5);
    expect(buffer.bytesAt(lengthBytes - 1, 1)[0]).toBe(0);
    expect(buffer.bytesAt(2 ** 32, 1)[0]).toBe(5);
    expect(() => buffer.bytesAt(lengthBytes, 1)).toThrow(RangeError);
    const range = { offsetBytes: 2 ** 32 - 2 * PAGE, lengthBytes: 4 * PAGE };
    expect(buffer.residencySync(range).pages.present).toBeGreaterThan(0);
  });
});
