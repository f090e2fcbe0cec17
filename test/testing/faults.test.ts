/** What each fault makes of a move, and that it ends. */

import { test as base, describe, expect } from 'vitest';
import { bind, type MappedBuffer, type Numa, openNuma } from '../../lib/index.ts';
import { kernelLines, Machine } from '../../lib/simulator/public.ts';
import { FaultFixtures, type MachineScene, numaFixtures } from '../../lib/testing/public.ts';
import '../../lib/testing/vitest.ts';
import { failureOf, thrownBy } from '../core/thrown.ts';
import { withBroken } from './broken-operation.ts';

const PAGE_COUNT = 16;

function onNode0(numa: Numa): MappedBuffer {
  const buffer = numa.allocate(PAGE_COUNT * numa.pageSizeBytes, { policy: bind(0) });
  buffer.touch();
  return buffer;
}

describe.each(kernelLines)('on Linux %s', (kernel) => {
  const test = base.extend<MachineScene>(numaFixtures({ kernel, mustRelease: true }));

  test('a node that is full leaves pages for want of memory', async ({ numa, faults }) => {
    using buffer = onNode0(numa);
    const fault = faults.nodeFull(1);
    expect((await buffer.migrate({ to: 1 })).pages).toMatchObject({ moved: 0, noMemory: 16 });
    fault.end();
    expect(await buffer.migrate({ to: 1 })).toHaveMoved(PAGE_COUNT);
  });

  test('a node that is full after some pages takes those', async ({ numa, faults }) => {
    using buffer = onNode0(numa);
    {
      using _full = faults.nodeFull(1, 10);
      const report = await buffer.migrate({ to: 1 });
      expect(report.pages).toMatchObject({ moved: 10, noMemory: 6 });
    }
    expect(await buffer.migrate({ to: 1 })).toHaveMoved(6);
  });

  test('pinned pages are busy until the pin ends', async ({ numa, faults }) => {
    using buffer = onNode0(numa);
    const pin = faults.pinnedPages(buffer, { firstPage: 3, pageCount: 2 });
    expect((await buffer.migrate({ to: 1 })).pages).toMatchObject({ moved: 14, busy: 2 });
    pin.end();
    expect(await buffer.migrate({ to: 1 })).toHaveMoved(2);
    expect(buffer).toResideOn(1);
  });

  test.for([1, 9])('a page that is busy for %i tries moves', async (tries, { numa, faults }) => {
    using buffer = onNode0(numa);
    faults.busyPages(buffer, tries, { firstPage: 15 });
    expect(await buffer.migrate({ to: 1 })).toHaveMoved(PAGE_COUNT);
  });

  test.for([10, 40])('a page that is busy for %i tries stays', async (tries, { numa, faults }) => {
    using buffer = onNode0(numa);
    const fault = faults.busyPages(buffer, tries, { firstPage: 15 });
    expect((await buffer.migrate({ to: 1 })).pages).toMatchObject({ moved: 15, busy: 1 });
    fault.end();
    expect(await buffer.migrate({ to: 1 })).toHaveMoved(1);
  });

  test('a call that is denied rejects, and nothing has moved', async ({ numa, faults }) => {
    using buffer = onNode0(numa);
    const denied = [faults.deniedCall('move_pages'), faults.deniedCall('mbind')];
    const { code, error } = await failureOf(() => buffer.migrate({ to: 1 }));
    expect(code).toBe('NUMA_NOT_PERMITTED');
    expect(error).toFailWith('move_pages', 'EPERM');
    for (const fault of denied) fault.end();
    expect(buffer).toResideOn(0);
  });

  test('a cpuset that loses the target leaves the rest for want of memory', async ({
    machine,
    numa,
    faults,
  }) => {
    using buffer = onNode0(numa);
    using trace = machine.traceMigrations();
    const change = faults.shrinkCpusetAt('isolate', '0');
    expect(change.hasHappened).toBe(false);
    const report = await buffer.migrate({ to: 1 });
    expect(change.hasHappened).toBe(true);
    expect(report.pages).toMatchObject({ moved: 0, noMemory: PAGE_COUNT });
    expect(trace).not.toContainSteps(['copy']);
    // Later calls name a node that is not allowed any more.
    expect((await failureOf(() => buffer.migrate({ to: 1 }))).code).toBe('NUMA_NODE_NOT_ALLOWED');
    change.end();
    expect(await buffer.migrate({ to: 1 })).toHaveMoved(PAGE_COUNT);
  });

  test('a writer that races loses no word', async ({ machine, numa, faults }) => {
    using buffer = onNode0(numa);
    using trace = machine.traceMigrations();
    const writer = faults.racingWriter(buffer, { firstPage: 4 });
    expect(await buffer.migrate({ to: 1 })).toHaveMoved(PAGE_COUNT);
    expect(writer.writes).toBeGreaterThan(PAGE_COUNT);
    expect(writer.lostWrites()).toEqual([]);
    expect(trace).toContainSteps(['unmap', 'copy', 'restore']);
    const { writes } = writer;
    expect(await buffer.migrate({ to: 0 })).toHaveMoved(PAGE_COUNT);
    expect(writer.writes).toBe(writes);
  });

  base('a writer that races notices an engine that does not copy', async () => {
    const machine = new Machine(undefined, { kernel });
    using buffer = onNode0(openNuma({ machine }));
    using faults = new FaultFixtures(machine);
    const writer = faults.racingWriter(buffer);
    await withBroken(
      'copy',
      () => {},
      () => buffer.migrate({ to: 1 }),
    );
    expect(writer.lostWrites()).not.toEqual([]);
  });

  test('a slow link makes a move take longer, until it is repaired', async ({
    machine,
    numa,
    faults,
  }) => {
    using buffer = onNode0(numa);
    const takes = async (to: number): Promise<number> => {
      costs.reset();
      expect(await buffer.migrate({ to })).toHaveMoved(PAGE_COUNT);
      return costs.migrationNsOf('move_pages');
    };
    const costs = machine.startCosts();
    const usualNs = await takes(1);
    const link = faults.slowLink(0, 1, 8, costs);
    expect(link.costs).toBe(costs);
    expect(await takes(0)).toBeGreaterThan(usualNs);
    link.end();
    expect(await takes(1)).toBe(usualNs);
  });
});

const test = base.extend<MachineScene>(numaFixtures());

describe('a cpuset that shrinks in mid-move', () => {
  test('keeps what had a page on the target', async ({ numa, faults }) => {
    using buffer = onNode0(numa);
    faults.shrinkCpusetAt('allocate-target', '0,2', 3);
    const report = await buffer.migrate({ to: 1 });
    expect(report.pages).toMatchObject({ moved: 3, noMemory: 13 });
    expect(numa.allowedNodes().toString()).toBe('0,2');
  });

  test('has not happened where its step was not reached', async ({ numa, faults }) => {
    using buffer = onNode0(numa);
    const change = faults.shrinkCpusetAt('put-back', '0');
    expect(await buffer.migrate({ to: 1 })).toBeComplete();
    expect(change.hasHappened).toBe(false);
    expect(numa.allowedNodes().toString()).toBe('0-3');
  });

  test('needs nodes that a cpuset can have', ({ faults }) => {
    for (const nodes of ['7', 'x']) {
      const { name, message } = thrownBy(() => faults.shrinkCpusetAt('copy', nodes));
      expect([name, message]).toEqual(['RangeError', expect.stringContaining('cpuset.mems: E')]);
    }
  });
});

describe('faults', () => {
  base('end together, the last one first, and once', async () => {
    const machine = new Machine();
    const { numa } = machine.self;
    const isDenied = (): boolean => !numa.setMempolicy({ mode: 0, nodemask: null }).ok;
    {
      using faults = new FaultFixtures(machine);
      const early = faults.deniedCall('set_mempolicy', 'ENOSYS');
      early.end();
      expect(isDenied()).toBe(false);
      faults.deniedCall('set_mempolicy', 'EACCES');
      // The end of a fault that has ended does not end another one.
      early.end();
      expect(isDenied()).toBe(true);
    }
    expect(isDenied()).toBe(false);
  });

  base('can be another process’s', async () => {
    const machine = new Machine();
    const other = machine.process();
    using buffer = onNode0(openNuma({ backend: other.backend }));
    using faults = new FaultFixtures(machine, other);
    faults.pinnedPages(buffer, { pageCount: 1 });
    faults.shrinkCpusetAt('isolate', '0,2');
    expect((await buffer.migrate({ to: 2 })).pages).toMatchObject({ moved: 15, busy: 1 });
    expect(openNuma({ backend: other.backend }).allowedNodes().toString()).toBe('0,2');
    expect(openNuma({ machine }).allowedNodes().toString()).toBe('0-3');
  });

  test('are of pages that there are', ({ numa, faults }) => {
    using buffer = onNode0(numa);
    for (const choice of [{ firstPage: 16 }, { firstPage: 10, pageCount: 7 }, { pageCount: 0 }]) {
      expect(thrownBy(() => faults.pinnedPages(buffer, choice)).code).toBe('ERR_OUT_OF_RANGE');
    }
    const unknown = { first: 1 } as object;
    expect(thrownBy(() => faults.busyPages(buffer, 1, unknown)).code).toBe('ERR_INVALID_ARG_VALUE');
  });
});
