/** The memory of whole processes: another one, this one, one that is gone, one that is not ours. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ProcessMemory, ProcessSnapshot } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { scaledTimeoutMs } from '../support/environment.ts';
import { firstNode, needNodes, numa } from './machine.ts';

async function withSleeper(
  body: (pid: number, child: ChildProcess) => Promise<void>,
): Promise<void> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  try {
    await body(child.pid as number, child);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Anonymous pages of a process by node: memory that it shares with nobody. */
function anonymousPages(pid: number): Record<number, number> {
  const pages: Record<number, number> = {};
  for (const line of readFileSync(`/proc/${pid}/numa_maps`, 'utf8').split('\n')) {
    if (!/ (heap|stack|anon=\d+)/.test(line) || line.includes('file=')) continue;
    for (const [, node, count] of line.matchAll(/ N(\d+)=(\d+)/g)) {
      pages[Number(node)] = (pages[Number(node)] ?? 0) + Number(count);
    }
  }
  return pages;
}

describe('process().migrate()', () => {
  test('moves the private pages of another process', async (context) => {
    const [a, b] = needNodes(context, 2) as [number, number];
    await withSleeper(async (pid) => {
      const all = numa.topology.withMemory;
      await numa.process(pid).migrate({ from: all, to: a });
      const total = Object.values(anonymousPages(pid)).reduce((sum, count) => sum + count, 0);
      expect(total).toBeGreaterThan(0);
      expect(anonymousPages(pid)).toEqual({ [a]: total });

      const report = await numa.process(pid).migrate({ from: a, to: b });
      // Its program's own pages are shared: how many of them stay is nobody's promise.
      const { leftBehind, remaining, complete, outcome } = report;
      const isLeft = Object.keys(remaining ?? {}).length > 0;
      expect(complete).toBe(outcome === 'complete');
      if (leftBehind > 0) expect(outcome).toBe('partial');
      else if (isLeft) expect(['spared', 'partial']).toContain(outcome);
      else expect(outcome).toBe('complete');
      expect(Object.keys(remaining ?? {}).every((node) => node === `${a}`)).toBe(true);
      expect([`${report.from}`, `${report.to}`]).toEqual([`${a}`, `${b}`]);
      expect(anonymousPages(pid)).toEqual({ [b]: total });
    });
  });

  test('to the same nodes moves nothing, and says so', async () => {
    const report = await numa.process().migrate({ from: firstNode, to: `${firstNode}` });
    expect(report).toMatchObject({
      pid: process.pid,
      leftBehind: 0,
      remaining: {},
      complete: true,
      outcome: 'complete',
      backend: 'native',
    });
    expect([`${report.from}`, `${report.to}`]).toEqual([`${firstNode}`, `${firstNode}`]);
    expect(report.durationNs).toBeGreaterThan(0);
    expect(Object.isFrozen(report)).toBe(true);
  });

  test('of a process that has ended is told from one that may not be touched', async () => {
    const { pid } = spawnSync('true');
    const { code, error } = await failureOf(() =>
      numa.process(pid).migrate({ from: firstNode, to: firstNode }),
    );
    expect(code).toBe('NUMA_NO_SUCH_PROCESS');
    expect(error).toMatchObject({ syscall: 'migrate_pages', errnoName: 'ESRCH', args: { pid } });
  });

  test('of a process that is not ours is not permitted', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can start a process as nobody');
    if (!existsSync(new URL('../../dist/index.js', import.meta.url))) {
      context.skip('dist is missing: npm run build:ts');
    }
    const script = fileURLToPath(new URL('workers/migrate-as-nobody.mjs', import.meta.url));
    const options = { uid: 65534, gid: 65534, encoding: 'utf8' } as const;
    const { stdout } = spawnSync(process.execPath, [script, `${process.pid}`], options);
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'NUMA_NOT_PERMITTED',
      syscall: 'migrate_pages',
      errnoName: 'EPERM',
      hint: expect.stringContaining('CAP_SYS_PTRACE'),
    });
  });
});

/** Of a process that is as it was: it sleeps for a moment while it starts, too. */
async function stillSnapshot(memory: ProcessMemory): Promise<ProcessSnapshot> {
  let last: ProcessSnapshot | undefined;
  const look = async () => {
    const before = last;
    last = await memory.snapshot();
    return last.threads[0]?.state === 'S' && isDeepStrictEqual(last, before);
  };
  await expect.poll(look, { timeout: scaledTimeoutMs(20_000) }).toBe(true);
  return last as unknown as ProcessSnapshot;
}

test('a snapshot of a process agrees with itself, and with what each verb tells', async () => {
  await withSleeper(async (pid) => {
    const memory = numa.process(pid);
    const { residency, mappings, threads } = await stillSnapshot(memory);
    const bytes = mappings.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
    expect(bytes).toBe(residency.residentBytes);
    // The kernel's own page is a mapping without memory, which numa_maps does not tell of.
    const own = mappings.filter(({ name }) => name !== '[vsyscall]');
    expect(own).toHaveLength(residency.mappingCount);
    const kinds = ['anonymous', 'file'] as const;
    const some = await memory.snapshot({ mappings: kinds.map((kind) => ({ kind })) });
    expect(some.mappings).toEqual(await memory.mappings({ kind: kinds }));
    expect(some.residency).toEqual(await memory.residency());
    expect(threads.map(({ tid }) => tid)).toEqual([pid]);
    expect((await memory.snapshot({ mappings: [] })).residency).toEqual(some.residency);
  });
});
