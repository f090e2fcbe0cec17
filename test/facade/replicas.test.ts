/** A copy of the same bytes on each node, and changes that reach all of them at once. */

import { describe, expect, test } from 'vitest';
import type { OwnedReplicas, ReplicaSource, Replicas } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { collectGarbage } from '../native/raw-addon.mjs';
import {
  firstNode,
  memoryNodes,
  needExpendable,
  needNodes,
  numa,
  UNKNOWN_NODE,
} from './machine.ts';
import { allocateOn, PAGE } from './placed-buffer.ts';

declare const WebAssembly: {
  Memory: new (options: { initial: number }) => { readonly buffer: ArrayBuffer };
};

const WORDS = 3 * PAGE;

function numbers(length = WORDS): Int32Array {
  return Int32Array.from({ length }, (_, index) => index * 7);
}

/** Each copy is whole, and on its node alone. */
async function expectPlaced(replicas: OwnedReplicas<unknown>): Promise<void> {
  const pages = Math.ceil(replicas.lengthBytes / PAGE);
  for (const { node, residency } of await replicas.residency()) {
    for (const { byNode } of residency) expect(byNode).toEqual({ [node]: pages });
  }
}

describe('replicas', () => {
  test('are on each node with memory, by the word of the kernel', async () => {
    using replicas = await numa.replicate(numbers());
    expect(replicas.nodes.toArray()).toEqual(memoryNodes);
    expect(replicas).toMatchObject({ version: 1, lengthBytes: 4 * WORDS, isReleased: false });
    await expectPlaced(replicas);
    for (const node of memoryNodes) {
      expect(replicas.on(node).snapshot()).toEqual(numbers());
      expect(replicas.on(node).read((words) => words[5])).toBe(35);
    }
    expect(replicas.nodes.has(replicas.local().node)).toBe(true);
  });

  test('are on the nodes that are named, and read from the nearest', async () => {
    const last = memoryNodes.at(-1) as number;
    using replicas = await numa.replicate(numbers(10), { nodes: last });
    await expectPlaced(replicas);
    expect(replicas.local().node).toBe(last);
    const { code, message } = await failureOf(() => replicas.on(UNKNOWN_NODE));
    expect(code).toBe('ERR_OUT_OF_RANGE');
    expect(message).toContain(`nodes that have one are ${last}`);
  });

  const memory = new WebAssembly.Memory({ initial: 1 });
  const buffer = allocateOn(firstNode, 2);
  const shared = numa.allocate(100, { sharedArrayBuffer: true });
  const SOURCES: Record<string, ReplicaSource> = {
    ArrayBuffer: new ArrayBuffer(5),
    SharedArrayBuffer: new SharedArrayBuffer(PAGE + 1),
    Buffer: Buffer.from('pooled'),
    DataView: new DataView(new ArrayBuffer(16), 3, 6),
    'WebAssembly.Memory': memory,
    MappedBuffer: buffer,
    SharedBuffer: shared,
    MemoryView: numa.view(buffer.bytes),
  };

  test.each(Object.entries(SOURCES))('of a %s are bytes', async (_, source) => {
    using replicas = await numa.replicate(source, { nodes: firstNode });
    const copy = replicas.local().snapshot();
    expect(copy).toBeInstanceOf(Uint8Array);
    expect(await replicas.publish(copy.fill(7))).toBe(2);
    expect(replicas.local().read((bytes) => bytes.every((byte) => byte === 7))).toBe(true);
    expect(await replicas.publish(source)).toBe(3);
  });

  test('of numbers are arrays of their kind', async () => {
    using floats = await numa.replicate(new Float64Array([1.5, -2, Number.NaN]));
    expect(floats.local().snapshot()).toEqual(new Float64Array([1.5, -2, Number.NaN]));
    using big = await numa.replicate(new BigUint64Array([2n ** 63n]), { nodes: firstNode });
    expect(big.local().read(([value]) => value)).toBe(2n ** 63n);
  });
});

describe('publish()', () => {
  test('brings a change to all copies, in the order in which it is asked for', async () => {
    using replicas = await numa.replicate(numbers(4));
    const versions = await Promise.all([
      replicas.publish((draft) => void draft.fill(2)),
      replicas.publish((draft) => draft.fill((draft[3] as number) + 1, 0, 1)),
      replicas.publish(new Uint8Array(16).fill(1)),
      replicas.publish((draft) => draft.fill(9, 3)),
    ]);
    expect(versions).toEqual([2, 3, 4, 5]);
    for (const node of memoryNodes) {
      const one = 0x01010101;
      expect([...replicas.on(node).snapshot()]).toEqual([one, one, one, 9]);
    }
    await expectPlaced(replicas);
  });

  test('that fails changes nothing', async () => {
    using replicas = await numa.replicate(numbers(4));
    const detached = new Uint8Array(16);
    structuredClone(detached, { transfer: [detached.buffer] });
    const wrong: [unknown, string][] = [
      [new Uint8Array(15), 'ERR_OUT_OF_RANGE'],
      [detached, 'ERR_OUT_OF_RANGE'],
      ['bytes', 'ERR_INVALID_ARG_TYPE'],
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      [async () => 1, 'ERR_INVALID_ARG_VALUE'],
    ];
    for (const [change, code] of wrong) {
      expect(await failureOf(() => replicas.publish(change as never))).toMatchObject({ code });
    }
    const fault = new Error('inside the change');
    const thrower = (draft: Int32Array) => {
      draft.fill(1);
      throw fault;
    };
    await expect(replicas.publish(thrower)).rejects.toBe(fault);
    const signal = AbortSignal.abort(fault);
    await expect(replicas.publish(numbers(4), { signal })).rejects.toBe(fault);
    expect(replicas.version).toBe(1);
    for (const node of memoryNodes) expect(replicas.on(node).snapshot()).toEqual(numbers(4));
    expect(await replicas.publish((draft) => void draft.fill(3))).toBe(2);
  });

  test('that is aborted, or loses its bytes, half way leaves the version before', async () => {
    const lengthBytes = 9 * 2 ** 20;
    using replicas = await numa.replicate(new Uint8Array(lengthBytes), { nodes: firstNode });
    const controller = new AbortController();
    const told: number[] = [];
    const abort = replicas.publish(new Uint8Array(lengthBytes).fill(1), {
      signal: controller.signal,
      onProgress: ({ bytesDone, bytesTotal }) => {
        told.push(bytesDone / bytesTotal);
        controller.abort(new Error('enough'));
      },
    });
    await expect(abort).rejects.toThrow('enough');
    expect(told).toEqual([8 / 9]);
    const source = new Uint8Array(lengthBytes).fill(1);
    const onProgress = () => void structuredClone(source, { transfer: [source.buffer] });
    const { code } = await failureOf(() => replicas.publish(source, { onProgress }));
    expect(code).toBe('NUMA_RELEASED');
    expect(replicas.version).toBe(1);
    expect(replicas.local().read((bytes) => bytes.includes(1))).toBe(false);
  });
});

describe('read()', () => {
  test('gives what it is told to, and takes nothing that would change later', async () => {
    using replicas = await numa.replicate(numbers(4), { nodes: firstNode });
    const replica = replicas.local();
    expect(() => replica.read(() => JSON.parse('{'))).toThrow(SyntaxError);
    const later: [(words: Int32Array) => unknown, RegExp][] = [
      [(words) => words.subarray(1), /must not return the memory/],
      [async () => 1, /must be synchronous/],
    ];
    for (const [run, words] of later) {
      const { code, message } = await failureOf(() => replica.read(run));
      expect(code).toBe('ERR_INVALID_ARG_VALUE');
      expect(message).toMatch(words);
    }
  });

  test('is done again where two versions were published meanwhile, at last on a copy', async () => {
    using replicas = await numa.replicate(numbers(4), { nodes: firstNode });
    const words = new Int32Array(replicas.handle.words);
    // This thread can publish nothing before the turn is over: as the words of another would say.
    const others = [...words.keys()].filter((at) => words[at] === 1);
    expect(others).toHaveLength(2);
    const seen: boolean[] = [];
    const result = replicas.local().read((numbers) => {
      seen.push(numbers.buffer instanceof SharedArrayBuffer);
      if (seen.length < 3) for (const at of others) Atomics.add(words, at, 2);
      if (seen.length === 1) throw new Error('made of several versions');
      return numbers[3];
    });
    expect(seen).toEqual([true, true, false]);
    expect(result).toBe(21);
    expect(replicas.version).toBe(5);
  });
});

describe('replicas that are released', () => {
  test('say so, here and to who is attached', async () => {
    const replicas = await numa.replicate(numbers(4), { nodes: firstNode });
    const { handle } = replicas;
    const attached: Replicas<Int32Array> = numa.attachReplicas(structuredClone(handle));
    const replica = attached.local();
    expect(replica.read(([, second]) => second)).toBe(7);
    const publishing = replicas.publish(numbers(4));
    replicas.release();
    replicas.release();
    const verbs = [
      () => publishing,
      () => replicas.local(),
      () => replicas.residency(),
      () => replicas.handle,
      () => attached.on(firstNode),
      () => replica.read(() => 1),
      () => replica.snapshot(),
      () => numa.attachReplicas(handle),
    ];
    for (const verb of verbs) expect((await failureOf(verb)).code).toBe('NUMA_RELEASED');
    expect([replicas.isReleased, attached.isReleased]).toEqual([true, true]);
  });

  test('by one that is attached go on for the others', async () => {
    using replicas = await numa.replicate(numbers(4), { nodes: firstNode });
    const attached = numa.attachReplicas(replicas.handle);
    attached.release();
    expect((await failureOf(() => attached.local())).code).toBe('NUMA_RELEASED');
    expect(await replicas.publish((draft) => void draft.fill(1))).toBe(2);
  });
});

describe('replicate()', () => {
  test('names what it cannot take', async () => {
    const wrong: [source: unknown, options: object | undefined, code: string, words: RegExp][] = [
      [undefined, undefined, 'ERR_INVALID_ARG_TYPE', /"source"/],
      [new Uint8Array(0), undefined, 'ERR_OUT_OF_RANGE', /it is empty, or detached/],
      [numbers(1), { nodes: UNKNOWN_NODE }, 'ERR_OUT_OF_RANGE', /is not online/],
      [numbers(1), { nodes: '' }, 'ERR_INVALID_ARG_VALUE', /"options.nodes"/],
      [numbers(1), { node: 0 }, 'ERR_INVALID_ARG_VALUE', /"options.node"/],
      [numbers(1), { signal: 1 }, 'ERR_INVALID_ARG_TYPE', /"options.signal"/],
    ];
    for (const [source, options, code, words] of wrong) {
      const failure = await failureOf(() => numa.replicate(source as never, options));
      expect(failure.code).toBe(code);
      expect(failure.message).toMatch(words);
    }
    const handles = [undefined, {}, { arrayName: 'Array' }, { arrayName: 'Uint8Array', words: 1 }];
    for (const handle of handles) {
      const { code } = await failureOf(() => numa.attachReplicas(handle as never));
      expect(code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test('of memory that was released, and an abort on the way, leave nothing', async () => {
    const released = allocateOn(firstNode, 1);
    released.release();
    expect((await failureOf(() => numa.replicate(released))).code).toBe('NUMA_RELEASED');
    const meanwhile = allocateOn(firstNode, 1);
    const lost = numa.replicate(meanwhile, { nodes: firstNode });
    meanwhile.release();
    await expect(lost).rejects.toMatchObject({ code: 'NUMA_RELEASED' });
    const controller = new AbortController();
    const told: number[] = [];
    const onProgress = ({ bytesDone }: { bytesDone: number }) => {
      if (told.push(bytesDone) === 2) controller.abort();
    };
    const { signal } = controller;
    const options = { nodes: firstNode, signal, onProgress };
    const made = numa.replicate(new Uint8Array(2 ** 20), options);
    await expect(made).rejects.toMatchObject({ name: 'AbortError' });
    expect(told).toEqual([2 ** 20, 2 ** 21]);
  });

  test('where a node has no room rejects, with the receipt', async (context) => {
    needExpendable(context);
    const [, full] = needNodes(context, 2) as [number, number];
    const freeBytes = numa.freeMemory(full) ?? 0;
    // Two versions of it are more than there is.
    const source = new Uint8Array(Math.ceil(freeBytes / 2) + 2 ** 24);
    const { code, error } = await failureOf(() => numa.replicate(source, { nodes: full }));
    expect(code).toBe('NUMA_OUT_OF_MEMORY');
    expect(error).toMatchObject({ args: { node: full }, report: { target: full } });
    expect(error.hint).toContain('no copy is left');
    await collectGarbage();
    expect(numa.freeMemory(full)).toBeGreaterThan(freeBytes * 0.9);
  });
});
