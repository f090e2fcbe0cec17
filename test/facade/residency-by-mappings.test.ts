/** Where pages are when move_pages is refused: what /proc tells, and no guess about the rest. */

import { describe, expect, test } from 'vitest';
import { type Backend, bind, openNuma } from '../../lib/index.ts';
import { firstNode, needNodes, usesHugePages } from './machine.ts';
import { openBackend } from './subject.ts';

const EPERM = 1;

/** This machine's backend, which refuses move_pages and whatever else is named. */
function refusing(...names: readonly (keyof Backend)[]): Backend {
  const refused = new Set<PropertyKey>([...names, 'movePages', 'movePagesSync']);
  return new Proxy(openBackend(), {
    get(target, name) {
      if (name === 'movePages') return () => Promise.resolve(refusal('move_pages'));
      if (name === 'movePagesSync') return () => refusal('move_pages');
      if (refused.has(name)) return () => refusal('open');
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

function refusal(syscall: string) {
  return { ok: false, errno: EPERM, syscall };
}

const numa = openNuma({ backend: refusing() });
const page = numa.pageSizeBytes;
const empty = { present: 0, notPresent: 0, zeroPage: 0, failed: 0 };

describe('a range that is a mapping of its own', () => {
  test('is told in full: pages by node, of zeros, and absent', async () => {
    // Its policy keeps the kernel from joining it to what lies beside it.
    using buffer = numa.allocate(64 * page, { policy: bind(firstNode) });
    buffer.touch({ lengthBytes: 16 * page });
    if (!usesHugePages()) {
      buffer.touch({ offsetBytes: 20 * page, lengthBytes: page, access: 'read' });
      const expected = { total: 64, present: 16, notPresent: 47, zeroPage: 1, failed: 0 };
      expect((await buffer.residency()).pages).toEqual(expected);
    }
    const residency = await buffer.residency();
    expect(residency).toMatchObject({ method: 'numa_maps', pageSizeBytes: page });
    expect(Object.keys(residency.byNode)).toEqual([`${firstNode}`]);
    expect(buffer.residencySync()).toEqual(residency);
  });

  test('pages on several nodes are counted on each', async (context) => {
    const [first, second] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(32 * page, { policy: bind([first, second]) });
    const backend = openBackend();
    for (const [node, at, count] of [
      [first, 0, 8],
      [second, 8, 4],
    ] as const) {
      placeOn(backend, buffer.address, node, at, count);
      buffer.touch({ offsetBytes: at * page, lengthBytes: count * page });
    }
    buffer.setPolicy(bind([first, second]));
    const { pages, byNode } = await buffer.residency();
    expect(byNode).toEqual({ [first]: 8, [second]: 4 });
    expect(pages).toEqual({ ...empty, total: 32, present: 12, notPresent: 20 });
  });

  function placeOn(backend: Backend, address: bigint, node: number, at: number, count: number) {
    const words = BigUint64Array.of(1n << BigInt(node));
    const request = { address: address + BigInt(at * page), lengthBytes: count * page };
    const result = backend.mbind({
      ...request,
      mode: 2,
      nodemask: { words, maxnode: 65 },
      flags: 0,
    });
    expect(result.ok).toBe(true);
  }
});

describe('a range that is part of a mapping', () => {
  test('is told where all pages of the mapping are on one node', async (context) => {
    using buffer = numa.allocate(64 * page, { policy: bind(firstNode) });
    buffer.touch({ lengthBytes: 16 * page });
    if (usesHugePages()) context.skip('huge pages are on: one touch makes hundreds of pages');
    const range = { offsetBytes: 8 * page, lengthBytes: 32 * page };
    const { pages, byNode } = await buffer.residency(range);
    expect(pages).toEqual({ ...empty, total: 32, present: 8, notPresent: 24 });
    expect(byNode).toEqual({ [firstNode]: 8 });
    const untouched = { offsetBytes: 32 * page };
    const rest = (await buffer.residency(untouched)).pages;
    expect(rest).toEqual({ ...empty, total: 32, notPresent: 32 });
  });

  test('is not told where they are on several: no guess', async (context) => {
    const [first, second] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(16 * page, { policy: bind([first, second]) });
    // INTERLEAVE puts neighbours on different nodes of one mapping.
    const words = BigUint64Array.of((1n << BigInt(first)) | (1n << BigInt(second)));
    const nodemask = { words, maxnode: 65 };
    const request = { address: buffer.address, lengthBytes: 16 * page, flags: 0 };
    expect(openBackend().mbind({ ...request, mode: 3, nodemask }).ok).toBe(true);
    buffer.touch({ lengthBytes: 12 * page });
    if (usesHugePages()) context.skip('huge pages are on: one touch makes hundreds of pages');
    const { pages, byNode } = await buffer.residency({ lengthBytes: 14 * page });
    expect(pages).toEqual({ ...empty, total: 14, notPresent: 2, failed: 12 });
    expect(byNode).toEqual({});
    const whole = await buffer.residency();
    expect(whole.byNode).toEqual({ [first]: 6, [second]: 6 });
  });
});

describe('where /proc is closed, too', () => {
  test('one error says that the call was refused', async () => {
    const closed = openNuma({ backend: refusing('readText', 'readTextSync') });
    using buffer = closed.allocate(4 * page);
    const refused = { code: 'NUMA_NOT_PERMITTED', syscall: 'move_pages', errnoName: 'EPERM' };
    await expect(buffer.residency()).rejects.toMatchObject(refused);
    expect(() => buffer.residencySync()).toThrow(expect.objectContaining(refused));
  });

  test('without pagemap a whole mapping still has its pages by node', async (context) => {
    const closed = openNuma({ backend: refusing('pagemap') });
    using buffer = closed.allocate(16 * page, { policy: bind(firstNode) });
    buffer.touch({ lengthBytes: 4 * page });
    if (usesHugePages()) context.skip('huge pages are on: one touch makes hundreds of pages');
    const { pages, byNode } = await buffer.residency();
    expect(byNode).toEqual({ [firstNode]: 4 });
    expect(pages.present + pages.notPresent + pages.failed).toBe(16);
  });
});
