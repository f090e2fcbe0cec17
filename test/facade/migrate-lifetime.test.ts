/** A move that is ended, shared or left alone half way: nothing is lost, and nothing crashes. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AbortError, type MigrationReport } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { firstNode, memoryNodes, needNodes, numa } from './machine.ts';
import {
  allocateOn,
  checksum,
  expectAccounted,
  expectTrueOf,
  pagesIn,
  writePattern,
} from './placed-buffer.ts';
import { isPrivileged } from './subject.ts';

/** Another node than the first where there is one. */
const otherNode = memoryNodes[1] ?? firstNode;

describe('an abort', () => {
  test('before the start moves nothing, and looks at nothing', async () => {
    using buffer = allocateOn(firstNode, 40);
    const signal = AbortSignal.abort(new Error('changed my mind'));
    const { code, name, error } = await failureOf(() => buffer.migrate({ to: otherNode, signal }));
    expect([name, code]).toEqual(['AbortError', 'ABORT_ERR']);
    expect(error).toBeInstanceOf(AbortError);
    expect((error.cause as Error).message).toBe('changed my mind');
    const report = error.report as MigrationReport;
    expectAccounted(report, 40);
    expect(report).toMatchObject({ aborted: true, complete: false, before: {}, after: {} });
    expect(report.pages.notAttempted).toBe(40);
    expect(buffer.residencySync().byNode).toEqual({ [firstNode]: 40 });
  });

  test('by an onProgress that throws is an abort with that error as its cause', async () => {
    using buffer = allocateOn(firstNode, 40);
    const thrown = new RangeError('bad day');
    const onProgress = (): void => {
      throw thrown;
    };
    const rejecting = async (): Promise<void> => onProgress();
    for (const callback of [onProgress, rejecting]) {
      const { code, error } = await failureOf(() =>
        buffer.migrate({ to: otherNode, onProgress: callback }),
      );
      expect(code).toBe('ABORT_ERR');
      expect(error.cause).toBe(thrown);
    }
    const { error } = await failureOf(() => buffer.migrate({ to: otherNode, onProgress }));
    expectTrueOf(buffer, error.report as MigrationReport);
  });

  test('after the end changes nothing', async () => {
    using buffer = allocateOn(firstNode, 4);
    const controller = new AbortController();
    const report = await buffer.migrate({ to: otherNode, signal: controller.signal });
    controller.abort();
    expectTrueOf(buffer, report);
    expect(report.aborted).toBe(false);
  });

  test('of residency() rejects with the reason of the signal', async () => {
    using buffer = allocateOn(firstNode, 4);
    const reason = new Error('too late');
    await expect(buffer.residency({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('release() during a move', () => {
  test('detaches the bytes at once, and the move ends with its report', async () => {
    const buffer = allocateOn(firstNode, 2000);
    const { bytes } = buffer;
    const move = buffer.migrate({ to: otherNode });
    buffer.release();
    expect(bytes.byteLength).toBe(0);
    const report = await move;
    expectAccounted(report, 2000);
    expect(report.complete).toBe(true);
    expect(report.pages.notPresent).toBe(0);
    expect((await failureOf(() => numa.attach(buffer.handle))).code).toBe('NUMA_RELEASED');
  });

  test('is harmless again and again, from several owners', async () => {
    for (let round = 0; round < 10; round += 1) {
      const first = allocateOn(firstNode, 64);
      const second = numa.attach(first.handle);
      const moves = [first.migrate({ to: otherNode }), second.migrate({ to: firstNode })];
      first.release();
      first.release();
      second.release();
      for (const report of await Promise.all(moves)) expectAccounted(report, 64);
    }
  });

  test('and during residency() keeps the memory until the answer', async () => {
    const buffer = allocateOn(firstNode, 500);
    const look = buffer.residency();
    buffer.release();
    expect((await look).byNode).toEqual({ [firstNode]: 500 });
  });

  test('and during residency() that takes several calls', async () => {
    // More than what is asked for at a time, so that it lies across a place where that ends.
    const buffer = allocateOn(firstNode, 8193);
    const look = buffer.residency();
    buffer.release();
    expect((await look).byNode).toEqual({ [firstNode]: 8193 });
  });

  test('and during residency() of a thread that others keep from running', async () => {
    const buffer = allocateOn(firstNode, 500);
    const { now } = performance;
    let elapsedMs = 0;
    performance.now = () => (elapsedMs += 20);
    try {
      const look = buffer.residency();
      buffer.release();
      expect((await look).byNode).toEqual({ [firstNode]: 500 });
    } finally {
      performance.now = now;
    }
  });
});

describe('two moves at once', () => {
  test('of different buffers both end where they were sent', async (context) => {
    const [a, b] = needNodes(context, 2) as [number, number];
    using first = allocateOn(a, 1000);
    using second = allocateOn(b, 1000);
    const reports = await Promise.all([first.migrate({ to: b }), second.migrate({ to: a })]);
    expect(reports.map(({ complete }) => complete)).toEqual([true, true]);
    expectTrueOf(first, reports[0]);
    expectTrueOf(second, reports[1]);
  });

  test('of one buffer lose no page and no data, and both reports add up', async () => {
    using buffer = allocateOn(firstNode, 1000);
    writePattern(buffer);
    const sum = checksum(buffer);
    const targets = [otherNode, firstNode, otherNode, firstNode];
    const reports = await Promise.all(targets.map((to) => buffer.migrate({ to })));
    for (const report of reports) {
      const { total, ...parts } = report.pages;
      expect(Object.values(parts).reduce((all, count) => all + count, 0)).toBe(total);
      expect(parts.notPresent + parts.zeroPage).toBe(0);
    }
    expect(buffer.residencySync().pages).toMatchObject({ present: 1000, notPresent: 0 });
    expect(checksum(buffer)).toBe(sum);
  });
});

describe('a move during which children are forked', () => {
  test('loses no page and no data, and its report adds up', async () => {
    using buffer = allocateOn(firstNode, pagesIn(32));
    writePattern(buffer);
    const sum = checksum(buffer);
    let isOver = false;
    const moved = buffer.migrate({ to: otherNode }).finally(() => {
      isOver = true;
    });
    const fork = promisify(execFile);
    while (!isOver) await fork('sh', ['-c', 'exit 0']);
    expectTrueOf(buffer, await moved);
    expect(buffer.residencySync().pages.present).toBe(buffer.pageCount);
    expect(checksum(buffer)).toBe(sum);
  });
});

describe('includeShared', () => {
  test('moves the pages of this process too, where it is allowed', async (context) => {
    if (!isPrivileged) context.skip('needs CAP_SYS_NICE');
    using buffer = allocateOn(firstNode, 8);
    const report = await buffer.migrate({ to: otherNode, includeShared: true });
    expectTrueOf(buffer, report);
    expect(report.complete).toBe(true);
  });

  test('without CAP_SYS_NICE is not permitted, and says what to leave out', async (context) => {
    if (numa.backend.kind !== 'native') context.skip('needs a process of this host');
    if (process.getuid?.() !== 0) context.skip('only root can start a process as nobody');
    const dist = new URL('../../dist/index.js', import.meta.url);
    if (!existsSync(dist)) context.skip('dist is missing: npm run build:ts');
    const script = fileURLToPath(new URL('workers/shared-as-nobody.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script], {
      uid: 65534,
      gid: 65534,
    });
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({
      code: 'NUMA_NOT_PERMITTED',
      syscall: 'move_pages',
      errnoName: 'EPERM',
      argument: 'options.includeShared',
      hasReport: false,
      byNode: { [firstNode]: 5 },
    });
    expect(answer['hint']).toContain('leave this option out');
  });
});

test('a move of two nodes leaves every page on the last one asked for', async (context) => {
  const [a, b] = needNodes(context, 2) as [number, number];
  using buffer = allocateOn(a, 128);
  for (const to of [b, a, b]) await buffer.migrate({ to, strict: true });
  expect((await buffer.residency()).byNode).toEqual({ [b]: 128 });
});
