/** Faults on demand: what a move through the public API reports when something is in its way. */

import { describe, expect, test } from 'vitest';
import { type KernelLine, kernelLines, newestKernelLine } from '../../../lib/core/kernels.ts';
import { bind, type MappedBuffer, type Numa, openNuma } from '../../../lib/index.ts';
import { Machine } from '../../../lib/simulator/public.ts';

const PAGES = 8;
const SIZE = 4096;

interface Stage {
  readonly machine: Machine;
  readonly numa: Numa;
  readonly buffer: MappedBuffer;
  readonly page: { readonly address: bigint; readonly pageCount: number };
}

function stageOf(kernel: KernelLine = newestKernelLine): Stage {
  const machine = new Machine(undefined, { kernel });
  const numa = openNuma({ machine });
  const buffer = numa.allocate(PAGES * SIZE, { policy: bind(0) });
  buffer.touch();
  return { machine, numa, buffer, page: { address: buffer.address, pageCount: 1 } };
}

describe('faults on demand', () => {
  test('a node without memory: the pages before arrive', async () => {
    const { machine, buffer } = stageOf();
    const end = machine.faults.nodeFull(1, 3);
    const { pages } = await buffer.migrate({ to: 1 });
    expect(pages.noMemory).toBe(PAGES - 3);
    end();
    expect((await buffer.migrate({ to: 1 })).complete).toBe(true);
  });

  for (const kernel of kernelLines) {
    test(`a busy page moves if it is free within ten tries, Linux ${kernel}`, async () => {
      for (const [tries, busy] of [
        [9, 0],
        [10, 1],
      ] as const) {
        const { machine, page } = stageOf(kernel);
        // Behind a failed call a facade may try again: only the kernel's own tries count here.
        machine.faults.busy(machine.self, page, tries);
        const status = new Int32Array(1).fill(-1000);
        const call = machine.self.steps.movePages({ pages: page, node: 1, status });
        expect(call.run()).toEqual({ ok: true, value: busy });
        expect(machine.self.pageState(page.address).folio?.node).toBe(1 - busy);
      }
    });

    test(`writeback is waited for, Linux ${kernel}`, async () => {
      const { machine, buffer, page } = stageOf(kernel);
      using trace = machine.traceMigrations();
      machine.faults.writeback(machine.self, page, 5);
      expect((await buffer.migrate({ to: 1 })).complete).toBe(true);
      expect(trace.events.some(({ step }) => step === 'wait-writeback')).toBe(true);
    });

    test(`a racing writer loses nothing, Linux ${kernel}`, async () => {
      const { machine, buffer } = stageOf(kernel);
      const span = { address: buffer.address, pageCount: PAGES };
      const writer = machine.faults.racingWriter(machine.self, span);
      for (const to of [1, 2, 0]) expect((await buffer.migrate({ to })).complete).toBe(true);
      expect(writer.writes).toBeGreaterThan(PAGES * 5);
      expect(writer.lostWrites()).toEqual([]);
    });
  }

  test('a call that a filter refuses', async () => {
    const { machine, buffer } = stageOf();
    const ends = [machine.faults.deny('move_pages'), machine.faults.deny('mbind')];
    await expect(buffer.migrate({ to: 1 })).rejects.toMatchObject({ code: 'NUMA_NOT_PERMITTED' });
    for (const end of ends) end();
    expect((await buffer.migrate({ to: 1 })).complete).toBe(true);
  });

  test('a cpuset that shrinks in mid-move: the caller gets no memory there any more', async () => {
    const { machine, buffer } = stageOf();
    const made = machine.settings.cpuset();
    if (!made.ok) throw new Error('no cpuset');
    made.value.setMems('0-1');
    made.value.attach(machine.self.pid);
    machine.faults.at('allocate-target', () => void made.value.setMems('0'), 4);
    const { pages } = await buffer.migrate({ to: 1 });
    expect(pages.noMemory).toBeGreaterThan(0);
    expect(machine.invariantBreaches()).toEqual([]);
  });

  test('wrong arguments are named', () => {
    const { machine, page } = stageOf();
    expect(() => machine.faults.nodeFull(9)).toThrow(/node with memory/);
    expect(() => machine.faults.at('nothing' as 'copy', () => {})).toThrow(/step/);
    expect(() => machine.faults.busy(machine.self, { ...page, address: 0x1000n }, 1)).toThrow(
      expect.objectContaining({ code: 'NUMA_RANGE_UNMAPPED' }),
    );
  });

  test('without a fault, nothing goes step by step', async () => {
    const { machine, buffer } = stageOf();
    const trace = machine.traceMigrations();
    trace.stop();
    await buffer.migrate({ to: 1 });
    expect(trace.events).toEqual([]);
  });
});
