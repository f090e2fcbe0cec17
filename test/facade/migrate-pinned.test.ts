/** Pages that cannot move: counted one by one, whatever lies around them. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bind, type MappedBuffer, type MigrationReport } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { chooseHugePages, needNodes, numa, usesHugePages } from './machine.ts';
import { checksum, expectTrueOf, PAGE, pinPages, writePattern } from './placed-buffer.ts';

let restoreHugePages: (() => void) | undefined;
beforeAll(() => {
  restoreHugePages = chooseHugePages('never');
});
afterAll(() => restoreHugePages?.());

const PAGE_COUNT = 300;

/** Runs of pages: first page and length. */
type Runs = readonly (readonly [number, number])[];

interface Case {
  readonly title: string;
  readonly pinned: Runs;
  /** Pages without memory; the kernel ends a run of queued pages at each. */
  readonly untouched?: Runs;
}

/** `10+5 100+1`: five pages from page 10 on, and page 100. */
function runs(text: string): Runs {
  return text.split(' ').map((run) => {
    const [first = 0, count = 0] = run.split('+').map(Number);
    return [first, count];
  });
}

const everySecond = Array.from({ length: PAGE_COUNT / 2 }, (_, i) => [2 * i, 1] as const);
const CASES: readonly Case[] = [
  { title: 'one page in the middle', pinned: [[150, 1]] },
  { title: 'the first page', pinned: [[0, 1]] },
  { title: 'the last page', pinned: [[PAGE_COUNT - 1, 1]] },
  { title: 'several runs', pinned: runs('10+5 100+1 102+20 290+10') },
  { title: 'every second page', pinned: everySecond },
  { title: 'all pages', pinned: [[0, PAGE_COUNT]] },
  { title: 'a page before a hole', pinned: [[20, 1]], untouched: [[21, 4]] },
  { title: 'a page after a hole', pinned: [[25, 1]], untouched: [[21, 4]] },
  {
    title: 'pages between holes',
    pinned: runs('10+1 50+2 200+1'),
    untouched: runs('11+1 40+3 60+1 100+50 299+1'),
  },
];

function pagesOf(runs: Runs): number {
  return runs.reduce((sum, [, count]) => sum + count, 0);
}

/** A buffer on a node whose pages are touched outside of the given runs. */
function allocateWithHoles(node: number, untouched: Runs): MappedBuffer {
  const buffer = numa.allocate(PAGE_COUNT * PAGE, { policy: bind(node) });
  const isHole = (page: number) => untouched.some(([at, n]) => page >= at && page < at + n);
  for (let page = 0; page < PAGE_COUNT; page += 1) {
    if (isHole(page)) continue;
    buffer.touch({ offsetBytes: page * PAGE, lengthBytes: PAGE });
    buffer.bytes[page * PAGE] = page % 251;
  }
  return buffer;
}

function sumOfBytes(buffer: MappedBuffer): number {
  let sum = 0;
  for (const byte of buffer.bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum;
}

describe('pinned pages', () => {
  test.for(CASES)('$title: busy, and all others moved', async (table, context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    if (usesHugePages()) context.skip('huge pages are on: one pin holds hundreds of pages');
    const { pinned, untouched = [] } = table;
    using buffer = allocateWithHoles(from, untouched);
    const releases = pinned.map(([first, count]) => pinPages(buffer, first, count));
    const busy = pagesOf(pinned);
    const notPresent = pagesOf(untouched);
    try {
      const report = await buffer.migrate({ to });
      expectTrueOf(buffer, report);
      expect(report.pages).toMatchObject({ busy, notPresent, failed: 0, noMemory: 0 });
      expect(report.pages.moved).toBe(PAGE_COUNT - busy - notPresent);
      expect(report.complete).toBe(false);
    } finally {
      for (const release of releases) release();
    }
    const sum = sumOfBytes(buffer);
    const rest = await buffer.migrate({ to, strict: true });
    expect(rest.pages).toMatchObject({ moved: busy, alreadyThere: PAGE_COUNT - busy - notPresent });
    expect(sumOfBytes(buffer)).toBe(sum);
  });

  test('in the middle of a strict move: the error says how many', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    if (usesHugePages()) context.skip('huge pages are on: one pin holds hundreds of pages');
    using buffer = allocateWithHoles(from, []);
    writePattern(buffer);
    const sum = checksum(buffer);
    const unpin = pinPages(buffer, PAGE_COUNT / 2);
    try {
      const { code, message, error } = await failureOf(() => buffer.migrate({ to, strict: true }));
      expect(code).toBe('NUMA_POLICY_NOT_MET');
      expect(message).toContain(`not every page is on node ${to}: 1 busy`);
      const report = error.report as MigrationReport;
      expectTrueOf(buffer, report);
      expect(report.pages).toMatchObject({ busy: 1, moved: PAGE_COUNT - 1 });
      expect(report).toMatchObject({ complete: false, aborted: false });
      expect(checksum(buffer)).toBe(sum);
    } finally {
      unpin();
    }
  });

  test('on the target already are no trouble', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using buffer = allocateWithHoles(from, []);
    await buffer.migrate({ to, lengthBytes: 10 * PAGE });
    const unpin = pinPages(buffer, 3, 4);
    try {
      const report = await buffer.migrate({ to, strict: true });
      expectTrueOf(buffer, report);
      expect(report.pages).toMatchObject({ alreadyThere: 10, moved: PAGE_COUNT - 10, busy: 0 });
    } finally {
      unpin();
    }
  });
});
