/** Moves where move_pages is refused, as container engines do: by a policy that is put back. */

import { describe, expect, test } from 'vitest';
import { type Backend, bind, interleave, openNuma, preferred } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import {
  firstNode,
  memoryNodes,
  needExpendable,
  needNodes,
  numa,
  usesHugePages,
} from './machine.ts';
import {
  allocateOn,
  checksum,
  expectTrueOf,
  PAGE,
  pagesIn,
  pinPages,
  writePattern,
} from './placed-buffer.ts';
import { openBackend } from './subject.ts';

const EPERM = 1;
const otherNode = memoryNodes[1] ?? firstNode;

/** This machine's backend, which refuses move_pages and whatever else is named. */
function refusing(...names: readonly (keyof Backend)[]): Backend {
  const refused = new Set<PropertyKey>(names);
  const refusal = (syscall: string) => ({ ok: false, errno: EPERM, syscall });
  return new Proxy(openBackend(), {
    get(target, name) {
      if (name === 'movePages') return () => Promise.resolve(refusal('move_pages'));
      if (name === 'movePagesSync') return () => refusal('move_pages');
      if (refused.has(name)) return () => refusal(name === 'mbind' ? 'mbind' : 'open');
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

const denied = openNuma({ backend: refusing() });

/** The same memory, through the backend that refuses; and who gives it back. */
function bufferOn(node: number, pageCount: number) {
  const buffer = allocateOn(node, pageCount);
  return { buffer, attached: denied.attach(buffer.handle) };
}

describe('where move_pages is refused', () => {
  test('pages move by mbind, and the report says so', async () => {
    const { buffer, attached } = bufferOn(firstNode, pagesIn(9));
    writePattern(buffer);
    const copy = buffer.bytes.slice();
    const told: number[] = [];
    const report = await attached.migrate({
      to: otherNode,
      onProgress: ({ pagesDone }) => void told.push(pagesDone),
    });
    expect(report).toMatchObject({ method: 'mbind', complete: true, target: otherNode });
    expect(report.syscalls['move_pages']).toBeUndefined();
    expectTrueOf(buffer, report);
    expect(report.pages.moved).toBe(otherNode === firstNode ? 0 : buffer.pageCount);
    expect(told.at(-1)).toBe(buffer.pageCount);
    expect(buffer.policy().mode).toBe('default');
    expect(Buffer.compare(buffer.bytes, copy)).toBe(0);
    buffer.release();
    attached.release();
  });

  test('policies are put back part by part', async () => {
    const { buffer, attached } = bufferOn(firstNode, 64);
    buffer.setPolicy(bind(firstNode), { offsetBytes: 8 * PAGE, lengthBytes: 8 * PAGE });
    buffer.setPolicy(interleave('all'), { offsetBytes: 20 * PAGE, lengthBytes: 4 * PAGE });
    const policies = () =>
      [0, 8, 16, 20, 24].map((page) => `${buffer.policy({ offsetBytes: page * PAGE })}`);
    const before = policies();
    await attached.migrate({ to: otherNode });
    expect(policies()).toEqual(before);
    buffer.release();
    attached.release();
  });

  test('absent pages, pages of zeros and a part are told apart', async (context) => {
    if (usesHugePages()) context.skip('huge pages are on: one move takes hundreds of pages');
    const { buffer, attached } = bufferOn(firstNode, 32);
    buffer.release();
    using sparse = denied.allocate(32 * PAGE, { policy: bind(firstNode) });
    sparse.touch({ lengthBytes: 8 * PAGE });
    sparse.touch({ offsetBytes: 12 * PAGE, lengthBytes: 3 * PAGE, access: 'read' });
    const report = await sparse.migrate({ to: otherNode, lengthBytes: 20 * PAGE });
    expect(report.pages).toMatchObject({ total: 20, zeroPage: 3, notPresent: 9 });
    expect(report.pages.moved + report.pages.alreadyThere).toBe(8);
    expect(`${sparse.policy()}`).toBe(`bind:${firstNode}`);
    const again = await sparse.migrate({ to: otherNode });
    expect(again.pages).toMatchObject({ total: 32, alreadyThere: 8, zeroPage: 3, moved: 0 });
    attached.release();
  });

  test('a pinned page stays, and is busy', async (context) => {
    needNodes(context, 2);
    const { buffer, attached } = bufferOn(firstNode, 16);
    const unpin = pinPages(buffer, 5);
    const report = await attached.migrate({ to: otherNode });
    unpin();
    expect(report.pages).toMatchObject({ moved: 15, busy: 1 });
    expect(report.outcome).toBe('partial');
    buffer.release();
    attached.release();
  });

  test('an abort ends the move behind a step', async () => {
    const { buffer, attached } = bufferOn(firstNode, pagesIn(9));
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const move = attached.migrate({ to: otherNode, onProgress, signal: controller.signal });
    const { error } = await failureOf(() => move);
    expect(error).toMatchObject({ name: 'AbortError', report: { aborted: true, method: 'mbind' } });
    expect(error.report?.pages.notAttempted).toBeGreaterThan(0);
    buffer.release();
    attached.release();
  });

  test('a view moves alike', async () => {
    const view = denied.view(new SharedArrayBuffer(pagesIn(1) * PAGE));
    view.touch();
    const report = await view.migrate({ to: otherNode });
    expect(report).toMatchObject({ method: 'mbind', complete: true });
    expect(view.policy().mode).toBe('default');
  });
});

describe('pages each to its own node, where move_pages is refused', () => {
  test('move by mbind, run by run, with a status for each', async (context) => {
    if (usesHugePages()) context.skip('huge pages are on: one move takes hundreds of pages');
    const { buffer, attached } = bufferOn(firstNode, 32);
    buffer.setPolicy(bind(firstNode), { offsetBytes: 3 * PAGE, lengthBytes: 7 * PAGE });
    writePattern(buffer);
    const sum = checksum(buffer);
    const policies = () =>
      Array.from({ length: 32 }, (_, page) => `${buffer.policy({ offsetBytes: page * PAGE })}`);
    const before = policies();
    const wanted = Array.from({ length: 32 }, (_, page) => [firstNode, otherNode][(page >> 1) % 2]);
    const report = await attached.place(wanted as number[]);
    expect(report).toMatchObject({ method: 'mbind', complete: true, statuses: wanted });
    expect(report.syscalls['move_pages']).toBeUndefined();
    const stay = new Int32Array(32).fill(-1);
    stay.set([otherNode, otherNode, firstNode]);
    const again = await attached.place(stay);
    expect(again.statuses).toEqual([otherNode, otherNode, firstNode, ...wanted.slice(3)]);
    expect(await buffer.pageStatuses()).toEqual(again.statuses);
    expect(policies()).toEqual(before);
    expect(checksum(buffer)).toBe(sum);
    buffer.release();
    attached.release();
  });

  test('are told apart where they are absent, of zeros, or pinned', async (context) => {
    needNodes(context, 2);
    if (usesHugePages()) context.skip('huge pages are on: one move takes hundreds of pages');
    const buffer = numa.allocate(12 * PAGE, { policy: bind(firstNode) });
    const attached = denied.attach(buffer.handle);
    buffer.touch({ lengthBytes: 4 * PAGE });
    buffer.touch({ offsetBytes: 5 * PAGE, lengthBytes: 2 * PAGE, access: 'read' });
    buffer.touch({ offsetBytes: 8 * PAGE, lengthBytes: 4 * PAGE });
    const unpin = pinPages(buffer, 9);
    const report = await attached.place(new Int32Array(12).fill(otherNode));
    unpin();
    expect(report.statuses).toEqual([
      ...[otherNode, otherNode, otherNode, otherNode],
      ...['not-present', 'zero-page', 'zero-page', 'not-present'],
      ...[otherNode, 'busy', otherNode, otherNode],
    ]);
    buffer.release();
    attached.release();
  });

  test('are spread in shares', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    using buffer = denied.allocate(24 * PAGE, { policy: bind(home) });
    buffer.touch();
    const byWeights = await buffer.distribute({ weights: { [home]: 3, [away]: 1 } });
    expect(byWeights.bytesByNode).toEqual({ [home]: 18 * PAGE, [away]: 6 * PAGE });
    const half = 12 * PAGE;
    const byParts = await buffer.distribute({ partsBytes: { [home]: half, [away]: half } });
    expect(byParts.bytesByNode).toEqual({ [home]: half, [away]: half });
    for (const { placement } of [byWeights, byParts]) {
      expect(placement).toMatchObject({ method: 'mbind', complete: true });
    }
  });

  test('and those that a full node has no room for are counted as such', async (context) => {
    needExpendable(context);
    const [home, away] = needNodes(context, 2) as [number, number];
    const { buffer, attached } = bufferOn(home, pagesIn(16));
    const rest = (numa.freeMemory(away) ?? 0) - 2 ** 23;
    using filler = numa.allocate(rest, { policy: preferred(away) });
    filler.touch();
    const { pages } = await attached.migrate({ to: away });
    expect(pages).toMatchObject({ busy: 0, failed: 0 });
    expect(pages.noMemory).toBeGreaterThan(pagesIn(4));
    expect(pages.moved + pages.noMemory).toBe(buffer.pageCount);
    const report = await attached.migrate({ to: away, onFull: 'spill' });
    expect(report.method).toBe('mbind');
    const spilled = Object.values(report.spilled).reduce((sum, count) => sum + count, 0);
    const [next] = numa.topology.nearestFirst(away).filter((node) => node !== away);
    expect(spilled).toBe(next === home ? 0 : report.pages.noMemory);
    expect(buffer.residencySync().byNode).toEqual(report.after);
    buffer.release();
    attached.release();
  });
});

describe('where mbind is refused, too', () => {
  test.each(['mbind', 'getMempolicy', 'pagemap'] as const)('%s: nothing moves', async (name) => {
    const closed = openNuma({ backend: refusing(name) });
    const buffer = allocateOn(firstNode, 8);
    const attached = closed.attach(buffer.handle);
    const targets = new Int32Array(8).fill(otherNode);
    const verbs: (() => unknown)[] = [() => attached.migrate({ to: otherNode })];
    // With one node there is nothing to place: nobody is asked.
    if (otherNode !== firstNode) verbs.push(() => attached.place(targets));
    for (const verb of verbs) {
      const { code, error } = await failureOf(verb);
      expect(code).toBe('NUMA_NOT_PERMITTED');
      expect(error).toMatchObject({ syscall: 'move_pages', errnoName: 'EPERM' });
    }
    expect(buffer.residencySync().byNode).toEqual({ [firstNode]: 8 });
    buffer.release();
    attached.release();
  });
});
