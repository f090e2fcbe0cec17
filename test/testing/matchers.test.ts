/** Each matcher passing and failing, and what it says. */

import { test as base, describe, expect } from 'vitest';
import { bind, type MappedBuffer, NodeMask, type Numa } from '../../lib/index.ts';
import { MPOL, MPOL_MF, openSyscalls } from '../../lib/syscalls/public.ts';
import '../../lib/testing/vitest.ts';
import { type MachineScene, matchers, numaFixtures } from '../../lib/testing/public.ts';
import { thrownBy } from '../core/thrown.ts';

const test = base.extend<MachineScene>(numaFixtures());

const PAGE_COUNT = 16;

/** Pages on node 0. */
function onNode0(numa: Numa): MappedBuffer {
  const buffer = numa.allocate(PAGE_COUNT * numa.pageSizeBytes, { policy: bind(0) });
  buffer.touch();
  return buffer;
}

/** What a failed assertion says. */
function complaintOf(assertion: () => unknown): string {
  return thrownBy(assertion).message;
}

describe('toResideOn', () => {
  test('passes where every present page is on the nodes', async ({ numa }) => {
    using buffer = onNode0(numa);
    expect(buffer).toResideOn(0);
    for (const nodes of ['0', '0-1', [0, 2], NodeMask.of(0)]) expect(buffer).toResideOn(nodes);
    expect(await buffer.residency()).toResideOn(0);
    expect(buffer).not.toResideOn(1);
  });

  test('looks at present pages alone', ({ numa }) => {
    using buffer = numa.allocate(PAGE_COUNT * numa.pageSizeBytes, { policy: bind(2) });
    buffer.touch({ lengthBytes: numa.pageSizeBytes });
    expect(buffer).toResideOn(2);
  });

  test('fails and says which pages are where', async ({ numa }) => {
    using buffer = onNode0(numa);
    await buffer.migrate({ to: 1, lengthBytes: 10 * numa.pageSizeBytes });
    expect(complaintOf(() => expect(buffer).toResideOn(1))).toBe(
      'expected every present page to be on node 1; ' +
        'found 6 on node 0, 10 on node 1; total 16, present 16',
    );
    expect(complaintOf(() => expect(buffer).not.toResideOn('0-1'))).toBe(
      'expected not every present page to be on node 0-1; ' +
        'found 6 on node 0, 10 on node 1; total 16, present 16',
    );
  });

  test('fails where no page is present', ({ numa }) => {
    using buffer = numa.allocate(PAGE_COUNT * numa.pageSizeBytes, { policy: bind(0) });
    expect(complaintOf(() => expect(buffer).toResideOn(0))).toMatch(
      /found no page on any node; total 16, notPresent 16$/,
    );
  });

  test('takes nothing else, negated neither', ({ numa }) => {
    using buffer = onNode0(numa);
    for (const wrong of [undefined, null, 7, {}, [0]]) {
      const thrown = thrownBy(() => expect(wrong).not.toResideOn(0));
      expect(thrown.code).toBe('ERR_INVALID_ARG_TYPE');
    }
    expect(thrownBy(() => expect(buffer).toResideOn('')).code).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrownBy(() => expect(buffer).toResideOn('all')).name).toMatch(/TypeError|RangeError/);
    buffer.release();
    expect(thrownBy(() => expect(buffer).toResideOn(0)).code).toBe('NUMA_RELEASED');
  });
});

describe('toHaveMoved and toBeComplete', () => {
  test('pass for a whole move', async ({ numa }) => {
    using buffer = onNode0(numa);
    const report = await buffer.migrate({ to: 1 });
    expect(report).toHaveMoved();
    expect(report).toHaveMoved(PAGE_COUNT);
    expect(report).toBeComplete();
  });

  test('fail for half of one, and say what became of the rest', async ({ numa, faults }) => {
    using buffer = onNode0(numa);
    faults.nodeFull(1, 10);
    const report = await buffer.migrate({ to: 1 });
    const found =
      'found 16 on node 0 before and 6 on node 0, 10 on node 1 after; ' +
      'total 16, moved 10, noMemory 6';
    expect(report).toHaveMoved(10);
    expect(complaintOf(() => expect(report).toHaveMoved(PAGE_COUNT))).toBe(
      `expected 16 pages to have moved to node 1; ${found}`,
    );
    expect(report).not.toBeComplete();
    expect(complaintOf(() => expect(report).toBeComplete())).toBe(
      `expected every present page to be on node 1; ${found}`,
    );
  });

  test('tell a move that had nothing to do', async ({ numa }) => {
    using buffer = onNode0(numa);
    const report = await buffer.migrate({ to: 0 });
    expect(report).toBeComplete();
    expect(report).toHaveMoved(0);
    expect(complaintOf(() => expect(report).toHaveMoved())).toMatch(
      /^expected pages to have moved to node 0; found .*total 16, alreadyThere 16$/,
    );
  });

  test('take those of processes, too', async ({ machine, numa }) => {
    using buffer = onNode0(numa);
    const mappings = { address: buffer.address };
    machine.self.fork();
    const memory = numa.process();
    const left = await memory.migrateMappings({ mappings, to: 1 });
    expect(complaintOf(() => expect(left).toBeComplete())).toMatch(
      /^expected every present page to be on its node of 1; found .*shared 16/,
    );
    const report = await memory.migrateMappings({ mappings, to: 1, includeShared: true });
    expect(report).toBeComplete();
    expect(report).toHaveMoved(PAGE_COUNT);
  });

  test('take reports alone', () => {
    expect(thrownBy(() => expect({}).toBeComplete()).code).toBe('ERR_INVALID_ARG_TYPE');
    expect(thrownBy(() => expect(undefined).toHaveMoved()).code).toBe('ERR_INVALID_ARG_TYPE');
  });
});

describe('toFailWith', () => {
  test('knows results of bare calls', ({ numa, faults }) => {
    using buffer = onNode0(numa);
    faults.pinnedPages(buffer);
    const { address, lengthBytes } = buffer;
    const result = openSyscalls(numa).mbind({
      address,
      lengthBytes,
      mode: MPOL.BIND,
      nodemask: NodeMask.of(1),
      flags: MPOL_MF.MOVE | MPOL_MF.STRICT,
    });
    expect(result).toFailWith('mbind', 'EIO');
    expect(complaintOf(() => expect(result).toFailWith('mbind', 'EPERM'))).toBe(
      'expected mbind: EPERM; found mbind: EIO',
    );
    expect(complaintOf(() => expect(result).not.toFailWith('mbind', 'EIO'))).toBe(
      'expected not mbind: EIO; found mbind: EIO',
    );
    const told = openSyscalls(numa).getMempolicy({ flags: 0, maxnode: 0 });
    expect(complaintOf(() => expect(told).toFailWith('mbind', 'EIO'))).toBe(
      'expected mbind: EIO; found success',
    );
  });

  test('knows typed errors', async ({ numa, faults }) => {
    using buffer = onNode0(numa);
    faults.deniedCall('move_pages');
    faults.deniedCall('mbind');
    await expect(buffer.migrate({ to: 1 })).rejects.toFailWith('move_pages', 'EPERM');
    buffer.release();
    const error = thrownBy(() => buffer.touch()).error;
    expect(complaintOf(() => expect(error).toFailWith('touch', 'EINVAL'))).toBe(
      'expected touch: EINVAL; found NUMA_RELEASED: no errno',
    );
  });

  test('takes nothing else', () => {
    for (const wrong of [new Error('EPERM'), undefined, 1]) {
      const thrown = thrownBy(() => expect(wrong).toFailWith('mbind', 'EIO'));
      expect(thrown.code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});

describe('toContainSteps', () => {
  test('finds steps in their order', async ({ machine, numa }) => {
    using buffer = onNode0(numa);
    using trace = machine.traceMigrations();
    await buffer.migrate({ to: 1, lengthBytes: numa.pageSizeBytes });
    expect(trace).toContainSteps(['unmap', 'copy', 'restore']);
    expect(trace.events).toContainSteps(['unmap', 'copy', 'restore']);
    expect(trace).not.toContainSteps(['restore', 'copy']);
    expect(complaintOf(() => expect(trace).toContainSteps(['unmap', 'restore', 'copy']))).toMatch(
      /^expected the steps unmap, restore, copy in this order; found no copy behind restore in /,
    );
    expect(complaintOf(() => expect(trace).toContainSteps(['put-back']))).toMatch(
      /; found no put-back in isolate, .*free-source/,
    );
    expect(complaintOf(() => expect(trace).not.toContainSteps(['copy']))).toMatch(
      /^expected not the steps copy in this order; found isolate, /,
    );
  });

  test('shows the head of a long trace', async ({ machine, numa }) => {
    using buffer = onNode0(numa);
    using trace = machine.traceMigrations();
    expect(complaintOf(() => expect(trace).toContainSteps(['copy']))).toMatch(
      /found no copy in a trace without steps$/,
    );
    await buffer.migrate({ to: 1 });
    expect(complaintOf(() => expect(trace).toContainSteps(['put-back']))).toMatch(
      new RegExp(`, and ${trace.events.length - 40} more$`),
    );
  });

  test('refuses a step that does not exist, and what is no trace', ({ machine }) => {
    using trace = machine.traceMigrations();
    const misspelt = ['unmapp'] as unknown as ['unmap'];
    expect(thrownBy(() => expect(trace).toContainSteps(misspelt)).code).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    expect(thrownBy(() => expect({}).toContainSteps(['copy'])).code).toBe('ERR_INVALID_ARG_TYPE');
  });
});

base('the matchers can be used one by one, without a test runner', () => {
  const { pass, message } = matchers.toFailWith(
    { ok: false, syscall: 'mbind', errno: 5 },
    'mbind',
    'EIO',
  );
  expect(pass).toBe(true);
  expect(message()).toBe('expected not mbind: EIO; found mbind: EIO');
});
