/** Automatic balancing in logical time: when pages move, which the contract leaves open. */

import { expect, test } from 'vitest';
import { MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { changeProtNuma } from '../../lib/simulator/balancing/task-numa-work.ts';
import { MachineState } from '../../lib/simulator/machine.ts';
import { isMarked } from '../../lib/simulator/memory/page-entry.ts';
import type { Vma } from '../../lib/simulator/memory/vma.ts';
import { presets } from '../../lib/simulator/presets.ts';
import { maskMemory } from '../../lib/simulator/syscalls/decode-mask.ts';
import { mmap } from '../../lib/simulator/syscalls/mapping-calls.ts';
import { pageOf } from '../../lib/simulator/syscalls/range-argument.ts';
import { setMempolicy } from '../../lib/simulator/syscalls/set-mempolicy.ts';
import { keepTouching, touch } from '../../lib/simulator/syscalls/touch.ts';
import type { Thread } from '../../lib/simulator/tasks/thread.ts';

const PAGES = 4;

interface Stage {
  readonly machine: MachineState;
  readonly thread: Thread;
  readonly address: bigint;
  /** Number of the first page. */
  readonly page: number;
}

/** Pages on node 0, of a thread that runs on node 1 from now on. */
function stage(): Stage {
  const machine = new MachineState(presets.fourNodes);
  machine.memory.balancing = 'on';
  const thread = machine.process().mainThread;
  const request = { address: 0n, pageCount: PAGES, isShared: false, object: null, offset: 0 };
  const mapped = mmap(machine, thread, { ...request, access: 'write' });
  if (!mapped.ok) throw new Error('mmap failed');
  const address = mapped.value;
  touch(machine, thread, { address, pageCount: PAGES, access: 'write' });
  thread.cpu = machine.cpus.all.find((cpu) => machine.cpus.nodeOf(cpu) === 1) as number;
  return { machine, thread, address, page: pageOf(address, machine.memory.pageSizeBytes) };
}

function play({ machine, address }: Stage, thread: Thread, milliseconds: number): void {
  keepTouching(machine, thread, { address, pageCount: PAGES, access: 'read', milliseconds });
}

function nodesOf({ thread, page }: Stage): (number | undefined)[] {
  return Array.from({ length: PAGES }, (_, index) => thread.mm.nodeAt(page + index));
}

test('nothing is marked in the first second, and pages move at the access after', () => {
  const played = stage();
  const { thread, page } = played;
  play(played, thread, 1000);
  expect(nodesOf(played)).toEqual([0, 0, 0, 0]);
  while (!isMarked(thread.mm.pages.get(page))) play(played, thread, 4);
  expect(played.machine.memory.clock.nowMs).toBeGreaterThan(1000);
  expect(nodesOf(played)).toEqual([0, 0, 0, 0]);
  play(played, thread, 4);
  expect(nodesOf(played)).toEqual([1, 1, 1, 1]);
});

test('the same calls take the same time', () => {
  const states = [stage(), stage()].map((played) => {
    play(played, played.thread, 5000);
    const { machine, thread } = played;
    return [machine.memory.clock.nowMs, thread.numa.totalFaults, machine.memory.migrated.moved];
  });
  expect(states[0]).toEqual(states[1]);
});

test('after the early scans a page moves at the second fault in a row from one node', () => {
  const played = stage();
  const { machine, thread, page } = played;
  const other = machine.startThread(thread);
  other.cpu = machine.cpus.all.find((cpu) => machine.cpus.nodeOf(cpu) === 0) as number;
  thread.scan.seq = 5;
  // Without a policy a fault on the page's own node would not be remembered.
  const nodemask = { memory: maskMemory(BigUint64Array.of(3n)), maxnode: 65n };
  for (const one of [thread, other]) {
    const mode = MPOL.BIND | MPOL_MODE_FLAG.NUMA_BALANCING;
    expect(setMempolicy(one, { mode, nodemask }).ok).toBe(true);
    one.numa.scanSeq = 5;
    one.numa.preferredNode = 0;
  }
  const faultBy = (toucher: Thread): (number | undefined)[] => {
    const vma = thread.mm.vmas.lookup(page) as Vma;
    expect(changeProtNuma(thread, vma, { start: page, end: page + PAGES })).toBe(PAGES);
    touch(machine, toucher, { address: played.address, pageCount: PAGES, access: 'read' });
    return nodesOf(played);
  };
  for (const toucher of [other, thread, other, thread]) {
    expect(faultBy(toucher)).toEqual([0, 0, 0, 0]);
  }
  expect(faultBy(thread)).toEqual([1, 1, 1, 1]);
});
