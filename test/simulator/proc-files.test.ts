/** Text of procfs and sysfs that a simulated machine makes, where the contract does not reach. */

import { describe, expect, test } from 'vitest';
import type { Backend } from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { kernelFacts } from '../../lib/core/kernel-facts.ts';
import { newestKernelLine, oldestKernelLine } from '../../lib/core/kernels.ts';
import { nodemaskWords } from '../../lib/core/nodemask-words.ts';
import { NODES_FOLDER } from '../../lib/procfs/node-files.ts';
import { parseNumaMaps } from '../../lib/procfs/numa-maps.ts';
import { parseSmaps } from '../../lib/procfs/smaps.ts';
import { parseStat } from '../../lib/procfs/stat.ts';
import { parseStatus } from '../../lib/procfs/status.ts';
import { MADV, Machine, presets } from '../../lib/simulator/public.ts';
import { MPOL } from '../../lib/syscalls/public.ts';
import '../support/matchers.ts';

const NO_POLICY = { mode: MPOL.DEFAULT, nodemask: null } as const;

function value<T>(result: SyscallResult<T>): T {
  expect(result).toSucceed();
  return (result as { value: T }).value;
}

async function text(backend: Backend, path: string): Promise<string> {
  return value(await backend.readText(path));
}

describe('a whole file', () => {
  test('maps of a new process', async () => {
    const { backend } = new Machine().self;
    expect(await text(backend, '/proc/self/maps')).toMatchInlineSnapshot(`
      "555555560000-555555581000 rw-p 00000000 00:00 0                          [heap]
      7ffff7fbe000-7ffff7fc2000 r--p 00000000 00:00 0                          [vvar]
      7ffff7fc2000-7ffff7fc4000 r-xp 00000000 00:00 0                          [vdso]
      7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]
      "
    `);
  });

  test('one mapping of smaps, with each line of the kernel', async () => {
    for (const kernel of [oldestKernelLine, newestKernelLine]) {
      const { memory, backend } = new Machine(presets.fourNodes, { kernel }).self.mainThread;
      const address = value(memory.mmap({ pageCount: 4 }));
      value(memory.touch({ address, pageCount: 2 }, 'write'));
      const start = address.toString(16);
      const smaps = await text(backend, '/proc/self/smaps');
      const lines = smaps.slice(smaps.indexOf(start)).split('\n');
      const end = lines.findIndex((line) => line.startsWith('VmFlags'));
      const names = lines.slice(1, end).map((line) => line.split(':')[0]);
      expect(names.includes('KSM')).toBe(kernelFacts(kernel).smapsTellsMerged);
      expect(lines.slice(1, end + 1).join('\n')).toMatchSnapshot(kernel);
    }
  });

  test('stat and status', async () => {
    const machine = new Machine();
    const { backend } = machine.self;
    const stat = await text(backend, '/proc/self/stat');
    expect(stat.trim().split(' ')).toHaveLength(52);
    expect(stat).toMatchSnapshot('stat');
    expect(await text(backend, '/proc/self/status')).toMatchSnapshot('status');
  });

  test('files of a node', async () => {
    const { backend } = new Machine().self;
    for (const file of ['meminfo', 'numastat', 'vmstat']) {
      expect(await text(backend, `${NODES_FOLDER}/node1/${file}`)).toMatchSnapshot(file);
    }
  });
});

describe('processes', () => {
  test('the reader runs, others sleep', async () => {
    const machine = new Machine();
    const other = machine.process();
    const { backend } = machine.self;
    const stateOf = async (path: string): Promise<string | undefined> =>
      parseStat(await text(backend, path))?.state;
    expect(await stateOf('/proc/self/stat')).toBe('R');
    expect(await stateOf('/proc/thread-self/stat')).toBe('R');
    expect(await stateOf(`/proc/${other.pid}/stat`)).toBe('S');
  });

  test('self is the process, thread-self the thread', async () => {
    const { self } = new Machine();
    const thread = self.mainThread.thread();
    const { backend } = thread;
    expect(parseStat(await text(backend, '/proc/self/stat'))?.id).toBe(self.pid);
    expect(parseStat(await text(backend, '/proc/thread-self/stat'))?.id).toBe(thread.tid);
    value(backend.setMempolicy({ ...NO_POLICY, mode: MPOL.LOCAL }));
    expect(await text(backend, '/proc/thread-self/numa_maps')).toContain(' local heap ');
    expect(await text(backend, '/proc/self/numa_maps')).toContain(' default heap ');
  });

  test('a process whose parent has ended has the first process for one', async () => {
    const machine = new Machine();
    const parent = machine.process();
    const child = parent.mainThread.fork();
    const { backend } = machine.self;
    const parentOf = async (): Promise<number | undefined> =>
      parseStat(await text(backend, `/proc/${child.pid}/stat`))?.parentPid;
    expect(await parentOf()).toBe(parent.pid);
    parent.exit();
    expect(await parentOf()).toBe(1);
    expect(await backend.readText(`/proc/${parent.pid}/stat`)).toFailWith('open', 'ENOENT');
  });

  test('who started later has a later start', async () => {
    const machine = new Machine();
    const { self } = machine;
    const address = value(self.memory.mmap({ pageCount: 1 }));
    value(self.memory.keepTouching({ address, pageCount: 1 }, 'read', 250));
    const later = machine.process();
    const startOf = async (pid: number): Promise<number> =>
      parseStat(await text(self.backend, `/proc/${pid}/stat`))?.startTicks ?? 0;
    expect((await startOf(later.pid)) - (await startOf(self.pid))).toBe(25);
  });

  test('CAP_SYS_PTRACE opens the files of others, but not their pagemap', async () => {
    const machine = new Machine();
    const target = machine.process();
    const capabilities = ['CAP_SYS_PTRACE'] as const;
    const tracer = machine.process({ uid: 1000, capabilities: [...capabilities] });
    const { backend } = tracer;
    expect(await backend.readText(`/proc/${target.pid}/smaps`)).toSucceed();
    const pagemap = backend.pagemap({ address: 0n, pageCount: 1 }, target.pid);
    expect(pagemap).toFailWith('open', 'EACCES');
    const status = parseStatus(await text(backend, '/proc/self/status'));
    expect(status.effectiveCapabilities).toBe(1n << 19n);
  });

  test('a denied call shows as a filter', async () => {
    const machine = new Machine();
    machine.faults.deny('move_pages', 'EPERM');
    const status = parseStatus(await text(machine.self.backend, '/proc/self/status'));
    expect(status.seccompMode).toBe(2);
  });
});

describe('memory', () => {
  test('swapped pages are told as such', async () => {
    const { memory, areas, backend } = new Machine().self.mainThread;
    const address = value(memory.mmap({ pageCount: 4 }));
    value(memory.touch({ address, pageCount: 4 }, 'write'));
    value(areas.madvise({ address, pageCount: 2 }, MADV.PAGEOUT));
    const smaps = await text(backend, '/proc/self/smaps');
    const block = smaps.slice(smaps.indexOf(address.toString(16)));
    expect(block).toMatch(/^Rss: +8 kB\n[\s\S]*?^Swap: +8 kB\nSwapPss: +8 kB\n/m);
    expect(await text(backend, '/proc/self/status')).toMatch(/^VmSwap:\t +8 kB$/m);
  });

  test('mappings, processes and nodes agree on what there is', async () => {
    const machine = new Machine();
    machine.hugePages = 'always';
    const processes = [machine.self, machine.process()];
    for (const [index, { mainThread }] of processes.entries()) {
      const { memory, objects, backend } = mainThread;
      value(backend.setMempolicy({ mode: MPOL.BIND, nodemask: nodemaskWords([index + 1]) }));
      const address = value(memory.mmap({ address: 0x4000_0000n, pageCount: 1024 }));
      value(memory.touch({ address, pageCount: 1024 }, 'write'));
      value(memory.munmap({ address, pageCount: 100 }));
      const object = value(objects.create('memfd', 8));
      const shared = value(objects.map(object, { pageCount: 8, isShared: true }));
      value(memory.touch({ address: shared, pageCount: 5 }, 'write'));
    }
    const { backend } = machine.self;
    const pageBytes = machine.pageSizeBytes;
    const byNode = new Map<number, number>();
    for (const { pid } of processes) {
      let bytes = 0;
      for (const { pagesByNode } of parseNumaMaps(await text(backend, `/proc/${pid}/numa_maps`))) {
        for (const [node, count] of pagesByNode) {
          byNode.set(node, (byNode.get(node) ?? 0) + count * pageBytes);
          bytes += count * pageBytes;
        }
      }
      const smaps = parseSmaps(await text(backend, `/proc/${pid}/smaps`));
      expect(smaps.reduce((sum, { residentBytes }) => sum + residentBytes, 0)).toBe(bytes);
      expect(smaps.some(({ hugeBytes }) => hugeBytes > 0)).toBe(true);
      const status = parseStatus(await text(backend, `/proc/${pid}/status`));
      expect(status.residentBytes).toBe(bytes);
    }
    for (const [node, bytes] of byNode) {
      const meminfo = await text(backend, `${NODES_FOLDER}/node${node}/meminfo`);
      const kilobytes = (name: string): number =>
        Number(new RegExp(`${name}: +(\\d+) kB`).exec(meminfo)?.[1]);
      expect((kilobytes('AnonPages') + kilobytes('FilePages')) * 1024, `node ${node}`).toBe(bytes);
      expect(kilobytes('Mapped')).toBe(kilobytes('Shmem'));
      // A huge page that is cut keeps all of its memory until it is split.
      expect(kilobytes('MemUsed') * 1024).toBeGreaterThanOrEqual(bytes);
    }
  });

  test('settings show what the administrator has set', async () => {
    const machine = new Machine();
    const { backend } = machine.self;
    machine.hugePages = 'always';
    machine.settings.balancing = 'tiering';
    machine.settings.promoteRateLimitMBps = 100;
    machine.setInterleaveWeight(2, 7);
    const enabled = await text(backend, '/sys/kernel/mm/transparent_hugepage/enabled');
    expect(enabled).toBe('[always] madvise never\n');
    expect(await text(backend, '/proc/sys/kernel/numa_balancing')).toBe('2\n');
    const limit = await text(backend, '/proc/sys/kernel/numa_balancing_promote_rate_limit_MBps');
    expect(limit).toBe('100\n');
    const weights = '/sys/kernel/mm/mempolicy/weighted_interleave';
    expect(await text(backend, `${weights}/node2`)).toBe('7\n');
  });

  test('masks are as wide as the machine may have CPUs', async () => {
    const cpus = Array.from({ length: 40 }, (_, cpu) => cpu);
    const wide = { ...presets.fourNodes, name: 'wide', distances: [[10]] };
    const machine = new Machine({ ...wide, nodes: [{ id: 0, memoryMiB: 512, cpus }] });
    const { backend } = machine.self;
    expect(await text(backend, `${NODES_FOLDER}/node0/cpumap`)).toBe('ff,ffffffff\n');
    expect(await text(backend, '/proc/self/status')).toMatch(/^Cpus_allowed:\tff,ffffffff$/m);
  });
});
