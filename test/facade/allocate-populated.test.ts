/** `allocate()` with `populate`: memory whose pages are all there, or an error and no memory. */

import { describe, expect, test } from 'vitest';
import { bind, NumaError } from '../../lib/index.ts';
import { memoryNodes, needExpendable, needNodes, numa } from './machine.ts';
import { chooseHugePages, fillPools } from './subject.ts';

const PAGE = numa.pageSizeBytes;
const HUGE = (PAGE / 8) * PAGE;
/** That no other test has. */
const LENGTH = 48 * 2 ** 20 + 7 * PAGE;

/** Mappings as long as the buffers here, which nobody has any more where all is well. */
async function mappingsLeft(): Promise<number> {
  const mappings = await numa.process().mappings();
  return mappings.filter(({ lengthBytes }) => lengthBytes === LENGTH).length;
}

describe('allocate() with populate', () => {
  test('resolves with memory of which every page is there', async () => {
    using buffer = await numa.allocate(5 * PAGE + 1, { populate: true });
    expect(buffer.residencySync().pages).toMatchObject({ present: 6, notPresent: 0 });
    using unpopulated = numa.allocate(PAGE, { populate: false } as object);
    expect(unpopulated.residencySync().pages.present).toBe(0);
  });

  test('places them by the policy, and tells how far it is', async (context) => {
    const [, other] = needNodes(context, 2) as [number, number];
    const told: number[] = [];
    using buffer = await numa.allocate(LENGTH, {
      policy: bind(other),
      hugePages: 'none',
      populate: { threads: 2, onProgress: ({ bytesDone }) => told.push(bytesDone) },
    });
    expect(buffer.residencySync().byNode).toEqual({ [other]: LENGTH / PAGE });
    expect(told.at(-1)).toBe(LENGTH);
  });

  test('leaves nothing where it is aborted, before or in its midst', async () => {
    const before = await mappingsLeft();
    const reason = new Error('enough');
    const early = numa.allocate(LENGTH, { populate: { signal: AbortSignal.abort(reason) } });
    await expect(early).rejects.toBe(reason);
    const controller = new AbortController();
    const onProgress = () => controller.abort(reason);
    const options = { populate: { threads: 1, signal: controller.signal, onProgress } };
    await expect(numa.allocate(LENGTH, options)).rejects.toBe(reason);
    expect(await mappingsLeft()).toBe(before);
  });

  test('leaves nothing where the callback throws', async () => {
    const cause = new Error('not so');
    const onProgress = () => {
      throw cause;
    };
    const populated = numa.allocate(LENGTH, { populate: { onProgress } });
    await expect(populated).rejects.toMatchObject({ cause });
    expect(await mappingsLeft()).toBe(0);
  });

  test('rejects for what is wrong with the other arguments, too', async () => {
    await expect(numa.allocate(0, { populate: true })).rejects.toThrow(RangeError);
    const both = { populate: true, sharedArrayBuffer: true };
    expect(() => numa.allocate(PAGE, both as never)).toThrow(/options.populate/);
  });

  test('is an error where the pool of the bound node is empty, and gives all back', async (c) => {
    const [first, other] = needNodes(c, 2) as [number, number];
    const restore =
      fillPools({ [first]: 2, [other]: 0 }) ?? c.skip('changes a setting of the kernel');
    try {
      const options = { hugePages: { pageSizeBytes: HUGE }, policy: bind(other) };
      const refused = numa.allocate(HUGE, { ...options, populate: true });
      await expect(refused).rejects.toMatchObject({ code: 'NUMA_OUT_OF_MEMORY' });
      using whole = await numa.allocate(2 * HUGE, {
        hugePages: { pageSizeBytes: HUGE },
        populate: true,
      });
      expect((await whole.hugePages()).poolBytes).toBe(2 * HUGE);
    } finally {
      restore();
    }
  });

  test('is an error where bound nodes have too little left', async (context) => {
    needExpendable(context);
    const node = memoryNodes.at(-1) as number;
    const free = numa.freeMemory(node) as number;
    const options = { policy: bind(node), populate: true } as const;
    const refused = numa.allocate(free + 2 ** 24, options);
    await expect(refused).rejects.toBeInstanceOf(NumaError);
    await expect(refused).rejects.toMatchObject({ code: 'NUMA_OUT_OF_MEMORY' });
    expect(numa.freeMemory(node)).toBeGreaterThan(free - 2 ** 24);
  });
});

describe('what was got in huge pages', () => {
  test('is told of a part, of what was populated, and beside the nodes', async (context) => {
    const restore = chooseHugePages('always') ?? context.skip('changes a setting of the kernel');
    try {
      using buffer = await numa.allocate(4 * HUGE + PAGE, {
        hugePages: 'transparent',
        populate: true,
      });
      expect(buffer.populated).toMatchObject({
        lengthBytes: 4 * HUGE + PAGE,
        hugePages: { transparentBytes: 4 * HUGE, poolBytes: 0 },
      });
      const part = { offsetBytes: HUGE, lengthBytes: 2 * HUGE, hugePages: true };
      const found = await buffer.residency(part);
      expect(found.pages.present).toBe((2 * HUGE) / PAGE);
      expect(found.hugePages).toMatchObject({ transparentBytes: 2 * HUGE, isOfPool: false });
      const inOne = await buffer.residency({
        ...part,
        offsetBytes: HUGE + PAGE,
        lengthBytes: PAGE,
      });
      expect(inOne.hugePages?.transparentBytes).toBe(PAGE);
      const tail = await buffer.residency({ offsetBytes: 4 * HUGE, hugePages: true });
      const { isExact, transparentBytes } = tail.hugePages ?? {};
      expect(transparentBytes).toBe(isExact ? 0 : PAGE);
      expect(await buffer.residency()).not.toHaveProperty('hugePages');
      using plain = numa.allocate(2 * HUGE, { hugePages: 'none' });
      const made = await plain.populate();
      expect(made).toEqual(plain.populated);
      expect(made.hugePages?.transparentBytes).toBe(0);
    } finally {
      restore();
    }
  });
});
