/** The picture in lib/simulator/README.md is what a machine shows. */

import { describe, expect, test } from 'vitest';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { Machine, type SimulatedProcess } from '../../lib/simulator/public.ts';
import { ERRNO, MPOL, MPOL_MF } from '../../lib/syscalls/public.ts';
import { UNWRITTEN } from '../contract/world.ts';
import '../support/matchers.ts';

const PAGE = 4096;

function value<T>(result: SyscallResult<T>): T {
  if (!result.ok) throw new Error(`${result.syscall}: errno ${result.errno}`);
  return result.value;
}

const at = (page: number): bigint => BigInt(page * PAGE);

function bindTo(process: SimulatedProcess, pages: readonly [number, number], node: number): void {
  const nodemask = { words: BigUint64Array.of(1n << BigInt(node)), maxnode: 65 };
  const lengthBytes = (pages[1] - pages[0]) * PAGE;
  const range = { address: at(pages[0]), lengthBytes, mode: MPOL.BIND, nodemask, flags: 0 };
  expect(process.numa.mbind(range)).toSucceed();
}

function stateOf(process: SimulatedProcess, page: number): unknown {
  const { entry, folio } = process.pageState(at(page));
  if (folio === null) return entry;
  const { node, mapCount, pins } = folio;
  return { node, mapCount, pins };
}

function picture() {
  const machine = new Machine();
  const a = machine.process();
  value(a.memory.mmap({ address: at(10), pageCount: 4 }));
  bindTo(a, [10, 14], 1);
  const object = value(a.objects.create('memfd', 2));
  value(a.objects.map(object, { address: at(20), pageCount: 2, isShared: true }));
  const b = a.fork();
  value(a.memory.touch({ address: at(13), pageCount: 1 }, 'read'));
  value(a.memory.touch({ address: at(10), pageCount: 2 }, 'write'));
  value(a.memory.touch({ address: at(20), pageCount: 1 }, 'write'));
  value(b.memory.touch({ address: at(20), pageCount: 1 }, 'read'));
  a.mainThread.pin({ address: at(11), pageCount: 1 });
  return { machine, a, b };
}

const ORDINARY = { mapCount: 1, pins: 0 };

describe('the picture of the model', () => {
  test('entries and folios', () => {
    const { machine, a, b } = picture();
    expect([10, 11, 12, 13, 20, 21].map((page) => stateOf(a, page))).toEqual([
      { ...ORDINARY, node: 1 },
      { node: 1, mapCount: 1, pins: 1 },
      'absent',
      'zero',
      { node: 0, mapCount: 2, pins: 0 },
      'absent',
    ]);
    expect(stateOf(b, 20)).toEqual(stateOf(a, 20));
    expect(machine.invariantBreaches()).toEqual([]);
  });

  test('a fault', () => {
    const { machine, a } = picture();
    const { numaHit } = machine.counters(1);
    value(a.memory.touch({ address: at(12), pageCount: 1 }, 'write'));
    expect(stateOf(a, 12)).toEqual({ ...ORDINARY, node: 1 });
    expect(machine.counters(1).numaHit).toBe(numaHit + 1);
  });

  test('a move', () => {
    const { machine, a } = picture();
    const status = new Int32Array(3).fill(UNWRITTEN);
    const pages = BigUint64Array.of(at(10), at(11), at(20));
    const call = { pid: 0, count: 3, pages, nodes: 2, status, flags: MPOL_MF.MOVE };
    expect(a.numa.movePages(call)).toSucceed(1);
    expect([...status]).toEqual([UNWRITTEN, UNWRITTEN, -ERRNO.EACCES]);
    expect([10, 11, 20].map((page) => stateOf(a, page))).toMatchObject([
      { node: 2 },
      { node: 1 },
      { node: 0 },
    ]);
    expect(machine.invariantBreaches()).toEqual([]);
  });
});
