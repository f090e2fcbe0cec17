/** Consecutive pages are gone through at once, with the answers that one by one they would get. */

import { describe, expect, test } from 'vitest';
import { bind, type MappedBuffer, type Numa, openNuma } from '../../lib/index.ts';
import { kernelLines, Machine, type MachineOptions } from '../../lib/simulator/public.ts';
import { MPOL_MF, openSyscalls } from '../../lib/syscalls/public.ts';
import { UNWRITTEN } from '../contract/world.ts';
import { Random } from '../differential/random.ts';
import { seedsOf } from '../support/share.ts';

const PROGRAMS = 50;
const PAGE = 4096;
const PAGES = 1200;

/** The last node is full after a few pages, the table of pages is not. */
const DESCRIPTION = {
  name: 'spans',
  description: '',
  nodes: [
    { id: 0, memoryMiB: 64, cpus: [0] },
    { id: 1, memoryMiB: 64, cpus: [] },
    { id: 2, memoryMiB: 5, cpus: [] },
  ],
  distances: [
    [10, 20, 30],
    [20, 10, 30],
    [30, 30, 10],
  ],
};

interface Scene {
  readonly machine: Machine;
  readonly numa: Numa;
  readonly buffer: MappedBuffer;
}

/** A buffer in which untouched, read, written, shared and pinned pages lie side by side. */
function arrange(random: Random, options: MachineOptions): Scene {
  const machine = new Machine(DESCRIPTION, options);
  const numa = openNuma({ machine });
  const buffer = numa.allocate(PAGES * PAGE);
  const typicalPages = random.pick([1, 3, 40, 400]);
  for (let page = 0; page < PAGES; ) {
    const count = Math.min(PAGES - page, random.between(1, typicalPages * 2));
    const range = { offsetBytes: page * PAGE, lengthBytes: count * PAGE };
    const kind = random.pick(['none', 'read', 'write', 'write', 'write', 'policy', 'pin'] as const);
    const touched = { ...range, access: kind === 'read' ? ('read' as const) : ('write' as const) };
    const touch = (): void => buffer.touch(touched);
    if (kind === 'policy') buffer.setPolicy(bind(random.between(0, 1)), range);
    else if (kind !== 'none') numa.thread.withPolicy(bind(random.between(0, 1)), touch);
    if (kind === 'pin') {
      const address = buffer.address + BigInt(page * PAGE);
      machine.self.mainThread.pin({ address, pageCount: Math.min(count, 2) });
    }
    page += count;
  }
  if (random.chance(0.2)) {
    const child = openNuma({ backend: machine.self.fork().backend });
    child.attach(buffer.handle).touch({ lengthBytes: 100 * PAGE });
  }
  return { machine, numa, buffer };
}

/** One call, for the pages as a span or as a list, and all that can be seen of its outcome. */
function outcomeOf({ machine, numa, buffer }: Scene, seed: number, isSpan: boolean): object {
  const random = new Random(seed);
  const first = random.between(0, PAGES - 1);
  const pageCount = random.between(1, PAGES - first + 2);
  const address = buffer.address + BigInt(first * PAGE);
  const list = Array.from({ length: pageCount }, (_, page) => address + BigInt(page * PAGE));
  const pages = isSpan ? { address, pageCount } : BigUint64Array.from(list);
  const nodes = random.pick([null, 0, 1, 1, 2, 2, 7]);
  const flags = random.pick([MPOL_MF.MOVE, MPOL_MF.MOVE, MPOL_MF.MOVE_ALL]);
  const status = new Int32Array(pageCount).fill(UNWRITTEN);
  const answer = openSyscalls(numa).movePagesSync({ pid: 0, pages, nodes, flags, status });
  const free = numa.topology.nodes.map(({ id }) => numa.freeMemory(id));
  const { byNode } = buffer.residencySync();
  return { answer, status: [...status], free, byNode, breaches: machine.invariantBreaches() };
}

describe('move_pages of consecutive pages', () => {
  test.for(kernelLines)('answers as for a list of them, Linux %s', (kernel, context) => {
    for (const seed of seedsOf(context, PROGRAMS)) {
      const options = { kernel };
      const [span, list] = [arrange(new Random(seed), options), arrange(new Random(seed), options)];
      for (let call = 0; call < 3; call += 1) {
        const wanted = outcomeOf(list, seed * 10 + call, false);
        expect(outcomeOf(span, seed * 10 + call, true), `seed ${seed}, ${call}`).toEqual(wanted);
      }
    }
  });
});
