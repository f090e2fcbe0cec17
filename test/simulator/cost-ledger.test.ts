/** What a machine counts when it is asked to, and what it makes of that. */

import { describe, expect, test } from 'vitest';
import { bind, interleave, openNuma } from '../../lib/index.ts';
import { CostLedger } from '../../lib/simulator/cost/cost-ledger.ts';
import { COST_PROFILES } from '../../lib/simulator/cost/cost-profile.ts';
import { type Costs, costProfiles, Machine, presets } from '../../lib/simulator/public.ts';

const PAGES = 64;
const BYTES = PAGES * 4096;
const { localAccessNs, copyBytesPerNs, linkBytesPerNs } = costProfiles['two-socket-zen3'];

/** A thread on node 0 with memory that has been touched. */
function stage(policy = bind(0), options: Parameters<Machine['startCosts']>[0] = {}) {
  const machine = new Machine(presets.twoSockets);
  const numa = openNuma({ machine });
  const buffer = numa.allocate(BYTES, { policy });
  buffer.touch();
  return { machine, numa, buffer, costs: machine.startCosts(options) };
}

describe('accesses', () => {
  test('are counted by node of the CPU and node of the memory, once for each page', () => {
    const { numa, buffer, costs } = stage(interleave('0-1'));
    buffer.touch();
    numa.thread.setAffinity([4]);
    buffer.touch();
    expect(costs.accesses()).toEqual([
      { cpuNode: 0, memoryNode: 0, count: PAGES / 2 },
      { cpuNode: 0, memoryNode: 1, count: PAGES / 2 },
      { cpuNode: 1, memoryNode: 0, count: PAGES / 2 },
      { cpuNode: 1, memoryNode: 1, count: PAGES / 2 },
    ]);
  });

  test('cost the local latency times the distance by 10: policies compare by it', () => {
    const times = [bind(0), interleave('0-1'), bind(1)].map((policy) => {
      const { buffer, costs } = stage(policy);
      buffer.touch();
      return costs.accessNs / (PAGES * localAccessNs);
    });
    expect(times[0]).toBeCloseTo(1);
    expect(times[1]).toBeCloseTo((1 + 2.1) / 2);
    expect(times[2]).toBeCloseTo(2.1);
  });

  test('are as many for a page as the program says', () => {
    const { buffer, costs } = stage(bind(0), { accessesPerTouch: 64 });
    buffer.touch();
    expect(costs.accesses()).toEqual([{ cpuNode: 0, memoryNode: 0, count: 64 * PAGES }]);
    expect(costs.totalNs).toBeCloseTo(64 * PAGES * localAccessNs);
  });

  test('are counted in each round of keepTouching, and where they fault', () => {
    const machine = new Machine(presets.twoSockets);
    const { memory } = machine.process();
    const mapped = memory.mmap({ pageCount: PAGES });
    if (!mapped.ok) throw new Error('no memory');
    const costs = machine.startCosts();
    memory.keepTouching({ address: mapped.value, pageCount: PAGES }, 'write', 12);
    expect(costs.accesses()).toEqual([{ cpuNode: 0, memoryNode: 0, count: 3 * PAGES }]);
  });

  test('of written bytes are seen with the next call', () => {
    const machine = new Machine(presets.twoSockets);
    const numa = openNuma({ machine });
    const buffer = numa.allocate(BYTES);
    buffer.bytes.fill(1, 0, BYTES / 2);
    const costs = machine.startCosts();
    buffer.bytes.fill(1);
    buffer.residencySync();
    expect(costs.accesses()).toEqual([{ cpuNode: 0, memoryNode: 0, count: PAGES / 2 }]);
  });
});

describe('calls', () => {
  test('have a fixed part and look-ups, each kind in its own sum', async () => {
    const { buffer, costs } = stage();
    buffer.residencySync();
    const { callNs, lookupNs } = costs.profile.calls.query;
    expect(costs.migrationNsOf('query')).toBe(callNs + PAGES * lookupNs);
    buffer.setPolicy(bind(1));
    expect(costs.migrations().query).toMatchObject({ calls: 1, addresses: PAGES });
    expect(costs.migrations().mbind).toMatchObject({ calls: 0 });
    await buffer.migrate({ to: 1 });
    expect(costs.migrations().move_pages).toMatchObject({ calls: 1, addresses: PAGES });
    buffer.setPolicy(bind(0), { move: 'own' });
    expect(costs.migrations().mbind).toMatchObject({ calls: 1, addresses: 0 });
    expect(costs.totalNs).toBe(costs.accessNs + costs.migrationNs);
  });

  test('nothing is counted before the start, after the end, and of what was before a reset', () => {
    const { machine, buffer, costs } = stage();
    const nothing = (of: Costs): void => {
      expect(of.accesses()).toEqual([]);
      expect(of.totalNs).toBe(0);
    };
    nothing(costs);
    buffer.touch();
    buffer.residencySync();
    expect(costs.totalNs).toBeGreaterThan(0);
    costs.reset();
    nothing(costs);
    const next = machine.startCosts();
    buffer.touch();
    nothing(costs);
    machine.stopCosts();
    const { totalNs } = next;
    buffer.touch();
    expect(next.totalNs).toBe(totalNs);
  });
});

/** A ledger without a machine. */
function ledgerOf(batchesMigrations = true): CostLedger {
  return new CostLedger(COST_PROFILES['two-socket-zen3'], {
    nodes: [0, 1, 2],
    distance: (from, to) => (from === to ? 10 : 20),
    bandwidths: new Map([[2, 8000]]),
    batchesMigrations,
    pageSizeBytes: 4096,
    tablePages: 512,
    accessesPerTouch: 1,
    copyThreads: 1,
  });
}

describe('moves', () => {
  const pages = (pageCount: number) => ({
    folioCount: pageCount,
    pageCount,
    entryCount: pageCount,
  });
  const hugePages = (folioCount: number) => ({
    folioCount,
    pageCount: folioCount * 512,
    entryCount: folioCount,
  });

  test('flush once for 512 pages, once for a huge page, and once for what is left', () => {
    const ledger = ledgerOf();
    const account = ledger.account('mbind', 0);
    account.countMoved(0, 1, pages(500));
    account.countMoved(0, 1, pages(525));
    account.endList();
    account.endList();
    account.countMoved(0, 1, hugePages(3));
    account.countMoved(0, 1, pages(1));
    account.countMoved(0, 1, hugePages(1));
    account.endList();
    expect(ledger.migrations().mbind.flushes).toBe(3 + 3 + 1);
  });

  test('flush for each entry on kernels that do not batch', () => {
    const ledger = ledgerOf(false);
    const account = ledger.account('mbind', 0);
    account.countMoved(0, 1, pages(500));
    account.countMoved(0, 1, hugePages(2));
    account.endList();
    expect(ledger.migrations().mbind.flushes).toBe(502);
  });

  test('interrupt the CPUs of the other threads, and only then is a flush dear', () => {
    const [alone, threaded] = [0, 3].map((otherCpuCount) => {
      const ledger = ledgerOf();
      ledger.account('move_pages', otherCpuCount).countMoved(0, 1, pages(1024));
      return { ns: ledger.migrationNs, ...ledger.migrations().move_pages };
    });
    expect(alone).toMatchObject({ flushes: 2, shootdowns: 0, interrupts: 0 });
    expect(threaded).toMatchObject({ flushes: 2, shootdowns: 2, interrupts: 6 });
    expect((threaded?.ns ?? 0) - (alone?.ns ?? 0)).toBeCloseTo(2 * 1000 + 6 * 200);
  });

  test('that fail have been unmapped, and copy nothing', () => {
    const ledger = ledgerOf();
    ledger.kernelAccount.countUnmapped(pages(1));
    expect(ledger.migrations().kernel).toMatchObject({ folios: 1, entries: 1, bytes: 0 });
    const { folioNs, entryNs } = ledger.profile;
    expect(ledger.migrationNs).toBe(folioNs + entryNs);
  });

  test('copy as fast as the slowest of copier, link and memory', () => {
    const copyNs = (from: number, to: number, factor: number): number => {
      const ledger = ledgerOf();
      ledger.slowLink(0, 1, factor);
      const account = ledger.account('kernel', 0);
      account.countMoved(from, to, { folioCount: 0, pageCount: 1, entryCount: 0 });
      return ledger.migrationNs;
    };
    expect(copyNs(0, 1, 1)).toBeCloseTo(4096 / copyBytesPerNs);
    expect(copyNs(0, 1, 2)).toBeCloseTo(4096 / copyBytesPerNs);
    expect(copyNs(1, 0, 20)).toBeCloseTo((20 * 4096) / linkBytesPerNs);
    expect(copyNs(0, 2, 20)).toBeCloseTo(4096 / 8);
  });
});

describe('a slow link', () => {
  test('makes accesses over it dearer from then on, both ways, and can be repaired', () => {
    const { numa, buffer, costs } = stage(bind(1));
    const roundNs = (): number => {
      const before = costs.accessNs;
      buffer.touch();
      return (costs.accessNs - before) / (PAGES * localAccessNs);
    };
    expect(roundNs()).toBeCloseTo(2.1);
    costs.slowLink(0, 1, 3);
    expect(roundNs()).toBeCloseTo(6.3);
    numa.thread.setAffinity([4]);
    expect(roundNs()).toBeCloseTo(1);
    costs.slowLink(1, 0, 1);
    numa.thread.setAffinity([0]);
    expect(roundNs()).toBeCloseTo(2.1);
  });

  test('is between two nodes of the machine, and not faster', () => {
    const { costs } = stage();
    expect(() => costs.slowLink(0, 7, 2)).toThrow(/"nodeB" argument must be one of 0, 1/);
    expect(() => costs.slowLink(1, 1, 2)).toThrow(/must be another node/);
    expect(() => costs.slowLink(0, 1, 0.5)).toThrow(RangeError);
    expect(() => costs.slowLink(0, 1, Number.NaN)).toThrow(RangeError);
  });
});

describe('options', () => {
  const machine = new Machine();

  test('a profile is one by name, or one of your own', () => {
    const own = { ...costProfiles['two-socket-zen3'], name: 'mine', localAccessNs: 80 };
    expect(machine.startCosts({ profile: own }).profile).toEqual(own);
    expect(machine.startCosts({ profile: 'guest-6.1' }).profile.name).toBe('guest-6.1');
    expect(Object.isFrozen(costProfiles['guest-6.12'].calls.mbind)).toBe(true);
  });

  test('what is wrong is named', () => {
    const profile = costProfiles['two-socket-zen3'];
    const wrong: [unknown, RegExp][] = [
      [{ profile: 'zen9' }, /must be one of two-socket-zen3, guest-6.12, guest-6.1, or a profile/],
      [{ profile: { ...profile, folioNs: -1 } }, /"options.profile.folioNs".*0 or more/],
      [{ profile: { ...profile, copyBytesPerNs: 0 } }, /copyBytesPerNs".*above 0/],
      [{ profile: { ...profile, name: 1 } }, /"options.profile.name" argument must be a string/],
      [{ profile: { ...profile, calls: {} } }, /"options.profile.calls.move_pages.callNs"/],
      [{ accessesPerTouch: 0 }, /"options.accessesPerTouch"/],
      [{ copyThreads: 1.5 }, /"options.copyThreads"/],
      [{ threads: 2 }, /"options.threads" argument is not known/],
    ];
    for (const [options, message] of wrong) {
      expect(() => machine.startCosts(options as never)).toThrow(message);
    }
  });
});
