/** Kinds of memory that `allocate()` and `map()` give, and making their pages at once. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bind, NumaError, openNuma } from '../../lib/index.ts';
import { memoryNodes, needExpendable, needNodes, numa } from './machine.ts';
import { chooseHugePages, fillPools, openBackend } from './subject.ts';

const PAGE = numa.pageSizeBytes;
/** A page of the page table's worth. */
const HUGE = (PAGE / 8) * PAGE;
const isNative = numa.backend.kind === 'native';

/** The error's code, and the argument that it names. */
async function refusal(run: () => unknown): Promise<NumaError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof NumaError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** As the kernel has it of its files, where there are any. */
function isOpen(descriptor: number): boolean {
  try {
    readFileSync(`/proc/self/fdinfo/${descriptor}`);
    return true;
  } catch {
    return false;
  }
}

describe('shared memory', () => {
  test('has a descriptor, whose other mappings show the same bytes', () => {
    using buffer = numa.allocate(3 * PAGE, { shared: true });
    const { descriptor } = buffer;
    expect(descriptor).toEqual(expect.any(Number));
    buffer.bytes[PAGE] = 7;
    using second = numa.map(descriptor as number);
    expect(second.lengthBytes).toBe(3 * PAGE);
    expect(second.descriptor).not.toBe(descriptor);
    expect(second.bytes[PAGE]).toBe(7);
    second.bytes[PAGE] = 8;
    expect(buffer.bytes[PAGE]).toBe(8);
  });

  test('gives its descriptor back with its last owner', () => {
    const buffer = numa.allocate(PAGE, { shared: true });
    const second = numa.attach(buffer.handle);
    const descriptor = buffer.descriptor as number;
    expect(second.descriptor).toBe(descriptor);
    buffer.release();
    if (isNative) expect(isOpen(descriptor)).toBe(true);
    second.release();
    if (isNative) expect(isOpen(descriptor)).toBe(false);
  });

  test('is placed by its policy, whoever touches it', (context) => {
    const [, other] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(4 * PAGE, { shared: true, policy: bind(other) });
    using second = numa.map(buffer.descriptor as number);
    second.touch();
    expect(second.residencySync().byNode).toEqual({ [other]: 4 });
    expect(`${second.policy()}`).toBe(`bind:${other}`);
  });

  test('moves with whoever asks for it', async (context) => {
    const [first, other] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(4 * PAGE, { shared: true, policy: bind(first) });
    buffer.touch();
    const report = await buffer.migrate({ to: other });
    expect(report.pages.moved).toBe(4);
    expect(buffer.residencySync().byNode).toEqual({ [other]: 4 });
  });

  test('private memory has no descriptor', () => {
    using buffer = numa.allocate(PAGE);
    expect(buffer.descriptor).toBeNull();
  });

  test('a private mapping keeps what is written to itself', () => {
    using buffer = numa.allocate(PAGE, { shared: true });
    using own = numa.map(buffer.descriptor as number, { visibility: 'private' });
    own.bytes[0] = 1;
    own.touch();
    expect(buffer.bytes[0]).toBe(0);
  });
});

describe('what the kernel refuses', () => {
  const CASES: readonly (readonly [string, number, string, string])[] = [
    ['ftruncate', 27, 'NUMA_OUT_OF_MEMORY', 'RLIMIT_FSIZE'],
    ['mmap', 5, 'NUMA_INVALID_ARGUMENT', 'only regular files'],
    ['mmap', 9, 'NUMA_INVALID_ARGUMENT', 'O_PATH'],
    ['mmap', 1, 'NUMA_NOT_PERMITTED', 'sealed'],
  ];
  test.each(CASES)('%s with errno %i is %s', async (syscall, errno, code, word) => {
    const answer = { ok: false, errno, syscall };
    const backend = new Proxy(openBackend(), {
      get(target, name) {
        const member = name === 'mmap' ? () => answer : Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const refusing = openNuma({ backend });
    const error = await refusal(() => refusing.allocate(PAGE, { shared: true }));
    expect(error).toMatchObject({ code, syscall });
    expect(error.message).toContain(word);
    expect(error.errnoName).toMatch(/^E[A-Z]+$/);
  });
});

describe('map()', () => {
  test('refuses what is not open, or ends before the range', async () => {
    const closed = await refusal(() => numa.map(2 ** 20));
    expect(closed).toMatchObject({ code: 'NUMA_INVALID_ARGUMENT', syscall: 'fstat' });
    using buffer = numa.allocate(2 * PAGE, { shared: true });
    const descriptor = buffer.descriptor as number;
    const long = await refusal(() => numa.map(descriptor, { lengthBytes: 2 * PAGE + 1 }));
    expect(long.code).toBe('NUMA_INVALID_ARGUMENT');
    expect(long.message).toContain(`has ${2 * PAGE} bytes`);
    const behind = await refusal(() => numa.map(descriptor, { offsetBytes: 2 * PAGE }));
    expect(behind.code).toBe('NUMA_INVALID_ARGUMENT');
    expect(() => numa.map(descriptor, { offsetBytes: 1 })).toThrow(RangeError);
    expect(() => numa.map(-1)).toThrow(RangeError);
  });

  test('maps a part', () => {
    using buffer = numa.allocate(3 * PAGE, { shared: true });
    const range = { offsetBytes: PAGE, lengthBytes: PAGE + 1 };
    using part = numa.map(buffer.descriptor as number, range);
    expect(part.bytes.length).toBe(PAGE + 1);
    part.touch();
    expect(part.residencySync().pages.present).toBe(2);
  });
});

describe('huge pages', () => {
  test('of an empty pool are refused with its file and what is free', async () => {
    const lengthBytes = 2 ** 10 * HUGE;
    const error = await refusal(() =>
      numa.allocate(lengthBytes, { hugePages: { pageSizeBytes: HUGE }, policy: bind('+0') }),
    );
    expect(error).toMatchObject({ code: 'NUMA_OUT_OF_MEMORY', argument: 'options.hugePages' });
    expect(error.rule).toMatch(/^1024 pages of \d+ kB are needed, and \d+ are free on node \d+$/);
    expect(error.hint).toMatch(/echo \d+ > .*\/node\d+\/hugepages\/hugepages-\d+kB\/nr_hugepages$/);
  });

  test('of a size that no pool has are unsupported, and odd sizes out of range', async () => {
    const error = await refusal(() => numa.allocate(1, { hugePages: { pageSizeBytes: 2 * PAGE } }));
    expect(error).toMatchObject({ code: 'NUMA_UNSUPPORTED', argument: 'options.hugePages' });
    const odd = { hugePages: { pageSizeBytes: HUGE - 1 } };
    expect(() => numa.allocate(1, odd)).toThrow(RangeError);
    expect(() => numa.allocate(1, { hugePages: 'always' as 'none' })).toThrow(TypeError);
  });

  test('are got where they are asked for, and left out where they are refused', async (context) => {
    const restore = chooseHugePages('always') ?? context.skip('changes a setting of the kernel');
    try {
      using asked = numa.allocate(4 * HUGE, { hugePages: 'transparent' });
      using without = numa.allocate(4 * HUGE, { hugePages: 'none' });
      asked.touch();
      without.touch();
      expect(asked.address % BigInt(HUGE)).toBe(0n);
      const found = await asked.hugePages();
      expect(found).toMatchObject({ transparentBytes: 4 * HUGE, poolBytes: 0, isOfPool: false });
      expect((await without.hugePages()).transparentBytes).toBe(0);
    } finally {
      restore();
    }
  });
});

describe('a pool that is empty on the node that memory is bound to', () => {
  const poolOf = { hugePages: { pageSizeBytes: HUGE } };

  test('is an error of touch(), which ends no process', async (context) => {
    const [first, other] = needNodes(context, 2) as [number, number];
    const restore =
      fillPools({ [first]: 2, [other]: 0 }) ?? context.skip('changes a setting of the kernel');
    try {
      for (const options of [poolOf, { ...poolOf, shared: true }]) {
        using buffer = numa.allocate(HUGE, options);
        buffer.setPolicy(bind(other));
        const error = await refusal(() => buffer.touch());
        expect(error).toMatchObject({ code: 'NUMA_OUT_OF_MEMORY', syscall: 'touch' });
        buffer.setPolicy(bind(first));
        buffer.touch();
        expect((await buffer.hugePages()).poolBytes).toBe(HUGE);
      }
    } finally {
      restore();
    }
  });

  test('has memory that is mapped from the start of a huge page', (context) => {
    const restore =
      fillPools({ [memoryNodes[0] as number]: 2 }) ??
      context.skip('changes a setting of the kernel');
    try {
      using buffer = numa.allocate(2 * HUGE, { ...poolOf, shared: true });
      const descriptor = buffer.descriptor as number;
      expect(() => numa.map(descriptor, { offsetBytes: PAGE })).toThrow(
        /"options.offsetBytes" is out of range: .* start of a huge page/,
      );
      using second = numa.map(descriptor, { offsetBytes: HUGE });
      expect(second.lengthBytes).toBe(HUGE);
    } finally {
      restore();
    }
  });
});

describe('populate()', () => {
  test('makes every page, and tells how far it is', async () => {
    const lengthBytes = 20 * 2 ** 20 + 1;
    using buffer = numa.allocate(lengthBytes);
    const told: number[] = [];
    await buffer.populate({
      threads: 2,
      onProgress: ({ bytesDone, bytesTotal }) => told.push(bytesDone / bytesTotal),
    });
    expect(told.at(-1)).toBe(1);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(buffer.residencySync().pages.notPresent).toBe(0);
  });

  test('makes a part, without changing a byte', async () => {
    using buffer = numa.allocate(4 * PAGE);
    buffer.bytes[PAGE] = 5;
    await buffer.populate({ offsetBytes: PAGE, lengthBytes: PAGE + 1 });
    expect(buffer.residencySync().pages).toMatchObject({ present: 2, notPresent: 2 });
    expect(buffer.bytes[PAGE]).toBe(5);
  });

  test('places memory of its own policy, and other memory on this node', async (context) => {
    const [first, other] = needNodes(context, 2) as [number, number];
    using bound = numa.allocate(8 * PAGE, { policy: bind(other) });
    await bound.populate();
    expect(bound.residencySync().byNode).toEqual({ [other]: 8 });
    const before = numa.thread.affinity();
    const cpu = numa.topology.node(first).cpus?.[0];
    if (cpu === undefined) return context.skip('needs a CPU of the first node');
    numa.thread.setAffinity([cpu]);
    try {
      using near = numa.allocate(8 * PAGE);
      await near.populate();
      expect(near.residencySync().byNode).toEqual({ [first]: 8 });
    } finally {
      numa.thread.setAffinity(before);
    }
  });

  test('ends with the reason of its signal, or of its callback', async () => {
    using buffer = numa.allocate(40 * 2 ** 20);
    const reason = new Error('enough');
    const early = buffer.populate({ signal: AbortSignal.abort(reason) });
    await expect(early).rejects.toBe(reason);
    expect(buffer.residencySync().pages.present).toBe(0);
    const onProgress = () => {
      throw reason;
    };
    await expect(buffer.populate({ threads: 1, onProgress })).rejects.toMatchObject({
      cause: reason,
    });
    const { present, total } = buffer.residencySync().pages;
    expect(present).toBeGreaterThan(0);
    expect(present).toBeLessThan(total);
  });

  test('goes on over a release', async () => {
    const buffer = numa.allocate(4 * PAGE);
    const populated = buffer.populate();
    buffer.release();
    await populated;
    expect(await refusal(() => buffer.populate())).toMatchObject({ code: 'NUMA_RELEASED' });
  });

  test('refuses more than bound nodes have left, in place of the end of the process', async (c) => {
    needExpendable(c);
    // The smallest one of the guest.
    const node = memoryNodes.at(-1) as number;
    const free = numa.freeMemory(node) as number;
    // Also where not all of it is bound.
    for (const offsetBytes of [0, 2 ** 20]) {
      using buffer = numa.allocate(free + 2 ** 24);
      buffer.setPolicy(bind(node), { offsetBytes });
      const error = await refusal(() => buffer.populate());
      expect(error).toMatchObject({ code: 'NUMA_OUT_OF_MEMORY' });
      expect(buffer.residencySync().pages.present).toBe(0);
    }
  });
});
