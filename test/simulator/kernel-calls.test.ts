/** What programs do with memory beside the API, as users of node-numa/simulator model it. */

import { describe, expect, test } from 'vitest';
import { bind, interleave, openNuma } from '../../lib/index.ts';
import type { SyscallResult } from '../../lib/simulator/public.ts';
import { MADV, Machine } from '../../lib/simulator/public.ts';
import { ERRNO, MPOL } from '../../lib/syscalls/public.ts';
import '../support/matchers.ts';

const PAGE = 4096;

function value<T>(result: SyscallResult<T>): T {
  if (!result.ok) throw new Error(`${result.syscall}: errno ${result.errno}`);
  return result.value;
}

describe('calls of a simulated process', () => {
  test('name memory of the same buffers that its API has', () => {
    const machine = new Machine();
    const buffer = openNuma({ machine }).allocate(8 * PAGE, { policy: bind(1) });
    buffer.bytes.fill(1);
    const { areas, memory } = machine.self;
    const span = { address: buffer.address, pageCount: 8 };
    expect(value(areas.list(span))).toMatchObject([{ ...span, policy: 'bind:1' }]);
    expect(buffer.residencySync().byNode).toEqual({ 1: 8 });
    expect(areas.madvise({ ...span, pageCount: 4 }, MADV.PAGEOUT)).toSucceed();
    expect(buffer.residencySync().byNode).toEqual({ 1: 4 });
    expect(memory.touch(span, 'read')).toSucceed();
    expect(machine.invariantBreaches()).toEqual([]);
  });

  test('share an object with a child', () => {
    const { self } = new Machine();
    const object = value(self.objects.create('memfd', 4, 'cache'));
    const child = self.fork();
    for (const process of [self, child]) {
      const address = value(process.objects.map(object, { pageCount: 4, isShared: true }));
      expect(process.memory.touch({ address, pageCount: 4 }, 'write')).toSucceed();
      const line = value(process.areas.numaMaps()).find((text) => text.includes('memfd:cache'));
      expect(line).toContain('N0=4');
    }
    const stranger = { ...object, id: 77 };
    expect(self.objects.map(stranger, { pageCount: 1 })).toFailWith('map_object', 'EINVAL');
  });

  test('interleave an object from the inode number that it was given', () => {
    const machine = new Machine();
    const { memory, numa, areas } = machine.self;
    const nodemask = { words: BigUint64Array.of(3n), maxnode: 65 };
    for (const [inode, node] of [
      [100, 0],
      [101, 1],
    ] as const) {
      machine.nextInode = inode;
      const address = value(memory.mmap({ pageCount: 1, isShared: true }));
      const range = { address, lengthBytes: PAGE };
      expect(numa.mbind({ ...range, mode: MPOL.INTERLEAVE, nodemask, flags: 0 })).toSucceed();
      expect(memory.touch({ address, pageCount: 1 }, 'write')).toSucceed();
      const line = value(areas.numaMaps()).find((text) => text.startsWith(address.toString(16)));
      // Mappings begin at page offset 0 of their object.
      expect(line, String(inode)).toContain(`N${node}=1`);
    }
    expect(machine.nextInode).toBe(102);
    expect(() => {
      machine.nextInode = 0;
    }).toThrow(RangeError);
  });

  test('of a process that has ended are ESRCH', () => {
    const process = new Machine().process();
    process.exit();
    expect(process.memory.mmap({ pageCount: 1 })).toFailWith('mmap', 'ESRCH');
    expect(process.mainThread.forkEnded()).toFailWith('fork', 'ESRCH');
  });

  test('read masks by their address', () => {
    const { numa, memory } = new Machine().self;
    const nodemask = { pointer: value(memory.mmap({ pageCount: 1 })), maxnode: 65 };
    memory.store(nodemask.pointer, 2n);
    expect(numa.setMempolicy({ mode: MPOL.BIND, nodemask })).toSucceed();
    const stored = numa.getMempolicy({ flags: 0, maxnode: 64 });
    expect(stored).toMatchObject({ mode: MPOL.BIND, words: [2n] });
    const nowhere = { pointer: 8n, maxnode: 65 };
    expect(numa.setMempolicy({ mode: MPOL.BIND, nodemask: nowhere })).toFailWith(
      'set_mempolicy',
      'EFAULT',
    );
  });

  test('execute a program: the thread that does is the main one, the others have ended', () => {
    const machine = new Machine();
    const numa = openNuma({ machine });
    const buffer = numa.allocate(PAGE);
    const [worker, other] = [machine.self.thread(), machine.self.thread()];
    openNuma({ backend: worker.backend }).thread.setPolicy(bind(2));
    expect(worker.exec()).toSucceed();
    expect([worker.tid, machine.self.isRunning]).toEqual([machine.self.pid, true]);
    expect(`${numa.thread.policy()}`).toBe('bind:2');
    expect(other.memory.mmap({ pageCount: 1 })).toFailWith('mmap', 'ESRCH');
    expect(() => buffer.touch()).toThrow(expect.objectContaining({ code: 'NUMA_RELEASED' }));
    expect(machine.invariantBreaches()).toEqual([]);
  });
});

describe('settings of a simulated machine', () => {
  test('keep the processes of a cpuset on its nodes', () => {
    const machine = new Machine();
    const group = value(machine.settings.cpuset());
    expect(group.setMems('1-2')).toSucceed();
    expect(group.attach(machine.self.pid)).toSucceed();
    expect(value(machine.self.backend.topology()).allowedNodes).toEqual([1, 2]);
    expect(group.setMems('9')).toFailWith('write', 'EINVAL');
    group.empty();
    expect(value(machine.self.backend.topology()).allowedNodes).toEqual([0, 1, 2, 3]);
  });

  test('hold the pool of huge pages, and give its errors', () => {
    const machine = new Machine();
    expect(() => machine.settings.setHugePoolPages(9, 1)).toThrow(TypeError);
    machine.settings.setHugePoolPages(1, 2);
    expect([0, 1].map((node) => machine.settings.hugePoolPages(node))).toEqual([0, 2]);
    const { objects } = machine.self;
    const huge = value(objects.create('hugetlb', 3 * 512));
    expect(objects.map(huge, { pageCount: 3 * 512 })).toFailWith('mmap', 'ENOMEM');
    expect(objects.map(huge, { pageCount: 2 * 512 })).toSucceed();
    expect(machine.invariantBreaches()).toEqual([]);
  });

  test('refuse weights as the kernel refuses them', () => {
    const machine = new Machine();
    const { weights } = machine.settings;
    expect(weights.names()).toContain('node2');
    expect(weights.write('node2', '300')).toFailWith('write', 'EINVAL');
    const user = machine.process({ uid: 7 });
    expect(weights.write('node2', '3', user.pid)).toFailWith('open', 'EACCES');
    expect(weights.write('node2', '3')).toSucceed();
    expect(value(weights.read('node2'))).toBe('3');
    expect(weights.read('node9')).toMatchObject({ errno: ERRNO.ENOENT });
  });

  test('merge equal pages that are advised so', () => {
    const machine = new Machine();
    const { memory, areas } = machine.self;
    const span = { address: value(memory.mmap({ pageCount: 6 })), pageCount: 6 };
    memory.touch(span, 'write');
    areas.madvise(span, MADV.MERGEABLE);
    machine.settings.mergeEqualPages();
    expect(machine.self.mergedPages).toBe(6);
  });

  test('have balancing move a page to who uses it, in logical time', () => {
    const machine = new Machine();
    machine.settings.balancing = 'on';
    const { memory, backend } = machine.self;
    const span = { address: value(memory.mmap({ pageCount: 1 })), pageCount: 1 };
    memory.touch(span, 'write');
    expect(backend.schedSetaffinity([1])).toSucceed();
    expect(memory.keepTouching(span, 'read', 5000)).toSucceed();
    expect(machine.timeMs).toBe(5000);
    const one = { numaHintFaults: 1, numaPagesMigrated: 1, pgmigrateSuccess: 1 };
    expect(machine.vmstat()).toMatchObject({ ...one, numaHintFaultsLocal: 0, pgmigrateFail: 0 });
  });
});

test('pages that are faulted in at once are counted and placed as one by one', () => {
  const places = [true, false].map((isAtOnce) => {
    const machine = new Machine();
    const numa = openNuma({ machine });
    const buffer = numa.allocate(1500 * PAGE, { policy: interleave('0,2-3') });
    const pages = isAtOnce ? [0] : Array.from({ length: 1500 }, (_, page) => page);
    const lengthBytes = isAtOnce ? buffer.lengthBytes : PAGE;
    for (const page of pages) buffer.touch({ offsetBytes: page * PAGE, lengthBytes });
    const counters = [0, 1, 2, 3].map((node) => machine.counters(node));
    return { ...buffer.residencySync(), counters };
  });
  expect(places[0]?.counters).toEqual(places[1]?.counters);
  expect(places[0]?.byNode).toEqual(places[1]?.byNode);
  expect(places[0]?.byNode).toEqual({ 0: 500, 2: 500, 3: 500 });
});
