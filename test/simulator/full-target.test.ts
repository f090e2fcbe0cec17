/** What a move of a buffer does where its target has no room, as it was asked to. */

import { describe, expect, test } from 'vitest';
import { bind, openNuma, summarize } from '../../lib/index.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { failureOf } from '../core/thrown.ts';

const MIB = 2 ** 20;
const PAGES_OF_MIB = MIB / 4096;

/** 40 MiB on node 0; node 3 has 128 MiB, of which so much is left. */
function stage({ leftMiB }: { leftMiB: number }) {
  const machine = new Machine(presets.fourNodes);
  const numa = openNuma({ machine });
  const filler = numa.allocate((128 - leftMiB) * MIB, { policy: bind(3) });
  filler.touch();
  const buffer = numa.allocate(40 * MIB, { policy: bind(0) });
  buffer.touch();
  return { machine, numa, buffer };
}

/** The last batch of a move has room for a part of it only, and is given up as a whole. */
function expectFull({ moved, noMemory }: { readonly moved: number; readonly noMemory: number }) {
  expect(moved + noMemory).toBe(40 * PAGES_OF_MIB);
  expect(moved).toBeLessThanOrEqual(10 * PAGES_OF_MIB);
  expect(moved).toBeGreaterThan(8 * PAGES_OF_MIB);
}

describe('a target without room', () => {
  test('takes what fits, by default', async () => {
    const { buffer } = stage({ leftMiB: 10 });
    const { pages, spilled } = await buffer.migrate({ to: 3 });
    expectFull(pages);
    expect(spilled).toEqual({});
  });

  test('moves nothing where all or nothing was asked for', async () => {
    const { buffer } = stage({ leftMiB: 10 });
    const plan = await buffer.plan({ to: 3 });
    expect(plan.warnings.map(({ kind }) => kind)).toEqual(['target-full', 'policy']);
    const { code, error } = await failureOf(() => buffer.migrate({ to: 3, onFull: 'fail' }));
    expect(code).toBe('NUMA_OUT_OF_MEMORY');
    expect(error).toMatchObject({ argument: 'options.onFull', args: { freeBytes: 10 * MIB } });
    expect(error.report).toBeUndefined();
    expect(buffer.residencySync().byNode).toEqual({ 0: 40 * PAGES_OF_MIB });
  });

  test('that fills on the way is an error with the report', async () => {
    const { machine, buffer } = stage({ leftMiB: 127 });
    machine.faults.nodeFull(3, 100);
    const { code, error } = await failureOf(() => buffer.migrate({ to: 3, onFull: 'fail' }));
    expect(code).toBe('NUMA_OUT_OF_MEMORY');
    expect(error.report?.pages.moved).toBe(100);
  });

  test('spills to the nearest node with room, and no page goes farther away', async () => {
    const { numa, buffer } = stage({ leftMiB: 10 });
    const nearest = numa.topology.nearestFirst(3).filter((node) => node !== 3);
    const far = (node: number) => numa.topology.distance(3, node) as number;
    const report = await buffer.migrate({ to: 3, onFull: 'spill' });
    const [next] = nearest as [number];
    expect(far(next)).toBeLessThan(far(0));
    expectFull(report.pages);
    const { moved, noMemory } = report.pages;
    expect(report.spilled).toEqual({ [next]: noMemory });
    expect(report.after).toEqual({ 3: moved, [next]: noMemory });
    expect(buffer.residencySync().byNode).toEqual(report.after);
    expect(report.complete).toBe(false);
    expect(summarize(report)).toMatch(/ \([78],\d+ on node \d in its place\); done in part/);
    const strict = { to: 3, onFull: 'spill', strict: true } as const;
    expect((await failureOf(() => buffer.migrate(strict))).code).toBe('NUMA_POLICY_NOT_MET');
  });

  test('spills by mbind, too, where move_pages is refused', async () => {
    const { numa, machine, buffer } = stage({ leftMiB: 10 });
    machine.faults.deny('move_pages');
    const report = await buffer.migrate({ to: 3, onFull: 'spill' });
    const [next] = numa.topology.nearestFirst(3).filter((node) => node !== 3) as [number];
    expectFull(report.pages);
    const { moved, noMemory } = report.pages;
    expect(report).toMatchObject({ method: 'mbind', spilled: { [next]: noMemory } });
    expect(report.after).toEqual({ 3: moved, [next]: noMemory });
    expect(report.syscalls['move_pages']).toBeUndefined();
    expect(buffer.residencySync().byNode).toEqual(report.after);
    expect(`${buffer.policy()}`).toBe('bind:0');
  });
});
