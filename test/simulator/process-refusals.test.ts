/** What stands in the way of looking into another process, and what is said about it. */

import { describe, expect, test } from 'vitest';
import { type Numa, NumaError, openNuma } from '../../lib/index.ts';
import { kernelLines, Machine, type SimulatedProcess } from '../../lib/simulator/public.ts';
import { failureOf } from '../core/thrown.ts';
import { withFiles } from '../support/with-files.ts';

const PAGES = 2000;

/** A process with pages on node 0. */
function service(machine: Machine, uid = 0): { process: SimulatedProcess; address: bigint } {
  const process = machine.process({ uid });
  const mapped = process.memory.mmap({ address: 0x2aaa_0000_0000n, pageCount: PAGES });
  if (!mapped.ok) throw new Error(`mmap: errno ${mapped.errno}`);
  const address = mapped.value;
  process.memory.touch({ address, pageCount: PAGES }, 'write');
  return { process, address };
}

async function messageOf(numa: Numa, pid: number): Promise<string> {
  const { error } = await failureOf(() => numa.process(pid).residency());
  expect(error).toBeInstanceOf(NumaError);
  return (error as Error).message;
}

describe('a process that is not ours', () => {
  test("another user's: who it is, who we are, what helps", async () => {
    const machine = new Machine();
    const { process } = service(machine, 1000);
    const caller = machine.process({ uid: 1001 });
    const numa = openNuma({ backend: caller.backend });
    const { code, error } = await failureOf(() => numa.process(process.pid).residency());
    expect(code).toBe('NUMA_NOT_PERMITTED');
    expect(error).toMatchObject({ errnoName: 'EACCES' });
    expect((error as Error).message).toContain('belongs to user 1000, and we are 1001');
    expect((error as Error).message).toContain('CAP_SYS_PTRACE');
    const moving = numa.process(process.pid).migrate({ from: 0, to: 1 });
    expect((await failureOf(() => moving)).code).toBe('NUMA_NOT_PERMITTED');
    // Its threads are for all to see.
    expect(await numa.process(process.pid).threads()).toHaveLength(1);
  });

  test('not dumpable: said so', async () => {
    const machine = new Machine();
    const { process } = service(machine, 1000);
    process.isDumpable = false;
    const numa = openNuma({ backend: machine.process({ uid: 1000 }).backend });
    expect(await messageOf(numa, process.pid)).toContain('is not dumpable');
  });

  test('whose cpuset lacks the target: names what it allows', async () => {
    const machine = new Machine();
    const { process } = service(machine);
    const cpuset = machine.settings.cpuset();
    if (!cpuset.ok) throw new Error(`cpuset: errno ${cpuset.errno}`);
    cpuset.value.setMems('0-1');
    cpuset.value.attach(process.pid);
    const numa = openNuma({ machine });
    const { code } = await failureOf(() => numa.process(process.pid).migrateMappings({ to: 2 }));
    expect(code).toBe('NUMA_NODE_NOT_ALLOWED');
  });
});

describe('a pid that another process has now', () => {
  test('ends the move, with a report of what was moved', async () => {
    const machine = new Machine();
    const { process, address } = service(machine);
    let looks = 0;
    const backend = withFiles(machine.self.backend, async (path, ask) => {
      const text = await ask();
      if (!path.endsWith(`/${process.pid}/stat`) || !text.ok) return text;
      looks += 1;
      if (looks < 3) return text;
      const words = text.value.trimEnd().split(' ');
      words[21] = `${Number(words[21]) + 1}`;
      return { ok: true, value: words.join(' ') };
    });
    const numa = openNuma({ backend });
    const moving = numa.process(process.pid).migrateMappings({
      mappings: { address },
      to: 1,
      pauseBudgetMs: 1000,
    });
    const { code, error } = await failureOf(() => moving);
    expect(code).toBe('NUMA_NO_SUCH_PROCESS');
    expect((error as Error).message).toContain('another one has its pid now');
    const { report } = error as NumaError;
    expect(report?.pages).toMatchObject({ moved: 32, notAttempted: PAGES - 32 });
  });

  test('one that exits in mid-move ends it, too', async () => {
    const machine = new Machine();
    const { process, address } = service(machine);
    const numa = openNuma({ machine });
    const moving = numa.process(process.pid).migrateMappings({
      mappings: { address },
      to: 1,
      pauseBudgetMs: 1000,
      onProgress: () => process.exit(),
    });
    const { code, error } = await failureOf(() => moving);
    expect(code).toBe('NUMA_NO_SUCH_PROCESS');
    expect((error as NumaError).report?.pages.moved).toBe(32);
  });
});

describe('a /proc that tells nothing', () => {
  const NOTHING = { ok: false, errno: 2, syscall: 'open' } as const;

  test('none mounted', async () => {
    const machine = new Machine();
    const { process } = service(machine);
    const numa = openNuma({ backend: withFiles(machine.self.backend, async () => NOTHING) });
    const { code, error } = await failureOf(() => numa.process(process.pid).residency());
    expect(code).toBe('NUMA_UNSUPPORTED');
    expect((error as Error).message).toContain('no /proc is mounted here');
  });

  test('hidepid: as if there were no such process', async () => {
    const machine = new Machine();
    const { process } = service(machine);
    const hidden = `/proc/${process.pid}/`;
    const backend = withFiles(machine.self.backend, (path, ask) =>
      path.startsWith(hidden) ? Promise.resolve(NOTHING) : ask(),
    );
    expect(await messageOf(openNuma({ backend }), process.pid)).toContain('hidden (hidepid)');
  });

  test('a file that is cut short is a process that ends', async () => {
    const machine = new Machine();
    const { process } = service(machine);
    const backend = withFiles(machine.self.backend, (path, ask) =>
      path.endsWith('/stat') ? Promise.resolve({ ok: true, value: '42 (serv' }) : ask(),
    );
    const moving = openNuma({ backend }).process(process.pid).migrateMappings({ to: 1 });
    expect((await failureOf(() => moving)).code).toBe('NUMA_NO_SUCH_PROCESS');
  });
});

test.each(kernelLines)('huge pages of a pool move, each page counted: Linux %s', async (kernel) => {
  const machine = new Machine(undefined, { kernel });
  for (const node of [0, 1]) machine.settings.setHugePoolPages(node, 4);
  const process = machine.process();
  const pool = process.objects.create('hugetlb', 1024);
  const mapped = pool.ok ? process.objects.map(pool.value, { pageCount: 1024 }) : pool;
  if (!mapped.ok) throw new Error(`errno ${mapped.errno}`);
  process.memory.touch({ address: mapped.value, pageCount: 1024 }, 'write');
  const memory = openNuma({ machine }).process(process.pid);
  const report = await memory.migrateMappings({ to: 1, mappings: { kind: 'hugetlb' } });
  expect(report).toMatchObject({ complete: true, pages: { moved: 1024, shared: 0, busy: 0 } });
  expect((await memory.residency()).byKind.hugetlb.bytesByNode).toEqual({ 1: 1024 * 4096 });
});

test('40,000 mappings are read and planned', async () => {
  const machine = new Machine();
  const { process } = service(machine);
  const starts = Array.from({ length: 40_000 }, (_, at) => 0x1000_0000_0000 + at * 8192);
  const texts: Record<string, string> = {
    numa_maps: starts
      .map(
        (start, at) =>
          `${start.toString(16)} default anon=1 dirty=1 N${at % 4}=1 kernelpagesize_kB=4`,
      )
      .join('\n'),
    maps: starts.map((start) => `${headOf(start)}\n`).join(''),
    smaps: starts
      .map((start) => `${headOf(start)}\nSize: 4 kB\nRss: 4 kB\nVmFlags: rd wr mr mw me ac sd \n`)
      .join(''),
  };
  const backend = withFiles(machine.self.backend, (path, ask) => {
    const text = texts[path.split('/').at(-1) as string];
    return text === undefined ? ask() : Promise.resolve({ ok: true, value: text });
  });
  const memory = openNuma({ backend }).process(process.pid);
  const residency = await memory.residency();
  expect(residency).toMatchObject({ mappingCount: 40_000, residentBytes: 40_000 * 4096 });
  const plan = await memory.plan({ to: 1, mappings: { kind: 'anonymous' } });
  expect(plan.mappings).toHaveLength(30_000);
  expect(plan.bytesByTarget).toEqual({ 1: 30_000 * 4096 });
});

function headOf(start: number): string {
  return `${start.toString(16)}-${(start + 4096).toString(16)} rw-p 00000000 00:00 0 `;
}
