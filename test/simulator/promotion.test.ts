/**
 * Tiering on a machine that has tiers: what the contract promises, as each kernel; and in logical
 * time what it leaves open, which pages are hot and how many may go.
 */

import { describe, expect, test } from 'vitest';
import { nodemaskWords } from '../../lib/core/nodemask-words.ts';
import { MPOL } from '../../lib/core/uapi.ts';
import { kernelLines, Machine, type PageSpan, presets } from '../../lib/simulator/public.ts';
import { promotionContract } from '../contract/promotion.contract.ts';
import '../support/matchers.ts';
import { worldOf } from './simulated-world.ts';

const FAST = 0;
const SLOW = 2;
const MIB_PAGES = 256;

for (const kernel of kernelLines) {
  describe(`a simulated process, Linux ${kernel}`, () => {
    const world = worldOf(new Machine(presets.hmatTiers, { kernel }));
    promotionContract({
      name: kernel,
      traits: new Set(['counters', 'settings', 'areas', 'objects']),
      open: async () => world,
      world: () => world,
    });
  });
}

/** A program on the fast node with its pages on the slow one, where tiering is on. */
function stage(pageCount: number, description = presets.hmatTiers) {
  const machine = new Machine(description);
  machine.settings.balancing = 'tiering';
  const { memory, backend } = machine.process();
  const map = (count: number): PageSpan => {
    const mapped = memory.mmap({ pageCount: count });
    if (!mapped.ok) throw new Error('mmap failed');
    return { address: mapped.value, pageCount: count };
  };
  const span = map(pageCount);
  expect(backend.setMempolicy({ mode: MPOL.BIND, nodemask: nodemaskWords([SLOW]) })).toSucceed();
  expect(memory.touch(span, 'write')).toSucceed();
  expect(backend.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
  const other = map(1);
  const play = (milliseconds: number, what: PageSpan): void => {
    expect(memory.keepTouching(what, 'write', milliseconds)).toSucceed();
  };
  return {
    machine,
    /** Goes on touching the pages. */
    play: (milliseconds: number) => play(milliseconds, span),
    /** Touches the pages once. */
    touch: () => expect(memory.touch(span, 'write')).toSucceed(),
    /** Does something else. */
    wait: (milliseconds: number) => play(milliseconds, other),
    /** Does something else until the pages are marked. */
    waitForMarks: () => {
      const { numaPteUpdates } = machine.vmstat();
      while (machine.vmstat().numaPteUpdates < numaPteUpdates + pageCount) play(4, other);
    },
  };
}

test('each second has as many promotions as the limit', () => {
  const { machine, play, touch, waitForMarks } = stage(4 * MIB_PAGES);
  machine.settings.promoteRateLimitMBps = 1;
  waitForMarks();
  touch();
  const { pgpromoteSuccess, pgpromoteCandidate, numaHintFaults } = machine.vmstat();
  expect(pgpromoteSuccess).toBe(MIB_PAGES);
  expect([pgpromoteCandidate, numaHintFaults]).toEqual([4 * MIB_PAGES, 4 * MIB_PAGES]);
  // What stayed in slow memory is marked again.
  play(10_000);
  expect(machine.vmstat().pgpromoteSuccess).toBe(4 * MIB_PAGES);
});

test('a page that is touched late after its mark stays', () => {
  const { machine, touch, wait, waitForMarks } = stage(8);
  waitForMarks();
  wait(1000);
  touch();
  const counted = { numaHintFaults: 8, pgpromoteCandidate: 0, numaPagesMigrated: 0 };
  expect(machine.vmstat()).toMatchObject(counted);
  waitForMarks();
  wait(996);
  touch();
  expect(machine.vmstat()).toMatchObject({ pgpromoteCandidate: 8, pgpromoteSuccess: 8 });
});

test('a node with plenty of room takes every page, whatever the limits', () => {
  const nodes = presets.hmatTiers.nodes.map((node) =>
    node.id === FAST ? { ...node, memoryMiB: 4096 } : node,
  );
  const { machine, touch, waitForMarks } = stage(8, { ...presets.hmatTiers, nodes });
  machine.settings.promoteRateLimitMBps = 0;
  machine.settings.hotThresholdMs = 0;
  waitForMarks();
  touch();
  const counted = { pgpromoteSuccess: 8, pgpromoteCandidate: 0, pgpromoteCandidateNrl: 8 };
  expect(machine.vmstat()).toMatchObject(counted);
});

test('after a minute with few candidates colder pages are hot', () => {
  const { machine, touch, wait, waitForMarks } = stage(8);
  machine.settings.promoteRateLimitMBps = 1;
  wait(61_000);
  touch();
  // Marked long ago: too cold still, but the threshold is an eighth of a second higher now.
  expect(machine.vmstat()).toMatchObject({ numaHintFaults: 8, pgpromoteCandidate: 0 });
  waitForMarks();
  wait(1100);
  touch();
  expect(machine.vmstat()).toMatchObject({ pgpromoteCandidate: 8, pgpromoteSuccess: 8 });
});

test('after a minute with many candidates only hotter pages are, until tiering begins anew', () => {
  const { machine, play, touch, wait, waitForMarks } = stage(4 * MIB_PAGES);
  machine.settings.promoteRateLimitMBps = 0;
  play(62_000);
  machine.settings.promoteRateLimitMBps = 1;
  waitForMarks();
  wait(900);
  const { pgpromoteCandidate } = machine.vmstat();
  touch();
  expect(machine.vmstat()).toMatchObject({ pgpromoteCandidate, pgpromoteSuccess: 0 });
  machine.settings.balancing = 'off';
  machine.settings.balancing = 'tiering';
  waitForMarks();
  wait(900);
  touch();
  expect(machine.vmstat().pgpromoteSuccess).toBe(MIB_PAGES);
});
