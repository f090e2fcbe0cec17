/** Several processes and threads of one simulated machine, each with the whole API. */

import { describe, expect, test } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { kernelFacts } from '../../lib/core/kernel-facts.ts';
import { kernelLines } from '../../lib/core/kernels.ts';
import { bind, type NumaError, openNuma } from '../../lib/index.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { MPOL, MPOL_MF, openSyscalls } from '../../lib/syscalls/public.ts';
import { failureOf, thrownBy } from '../core/thrown.ts';

const PAGE = 4096;

describe('a process', () => {
  test('is moved by another, by its pid', async () => {
    const machine = new Machine();
    const numa = openNuma({ machine });
    const neighbour = machine.process({ uid: 1000 });
    const theirs = openNuma({ backend: neighbour.backend });
    const buffer = theirs.allocate(50 * PAGE, { policy: bind(0) });
    buffer.touch();
    const report = await numa.process(neighbour.pid).migrate({ from: 0, to: 2 });
    expect(report).toMatchObject({ pid: neighbour.pid, complete: true, backend: 'simulator' });
    expect(buffer.residencySync().byNode).toEqual({ 2: 50 });
    expect(numa.process().pid).toBe(machine.self.pid);
  });

  test('of another user is out of reach without a privilege', async () => {
    const machine = new Machine();
    const root = machine.process();
    const nobody = openNuma({ backend: machine.process({ uid: 65_534 }).backend });
    const { error } = await failureOf(() => nobody.process(root.pid).migrate({ from: 0, to: 1 }));
    expect(error).toMatchObject({ code: 'NUMA_NOT_PERMITTED', backend: 'simulator' });
    const capabilities = ['CAP_SYS_PTRACE', 'CAP_SYS_NICE'] as const;
    const helper = openNuma({ backend: machine.process({ uid: 7, capabilities }).backend });
    expect((await helper.process(root.pid).migrate({ from: 0, to: 1 })).complete).toBe(true);
  });

  test('that the machine does not have is none, with the way to those of the host', async () => {
    const numa = openNuma({ machine: new Machine() });
    const { error } = await failureOf(() => numa.process(4_000_000).migrate({ from: 0, to: 1 }));
    expect(error.code).toBe('NUMA_NO_SUCH_PROCESS');
    expect(error.hint).toContain("openNuma({ backend: 'native' })");
  });

  test('shares its pages with its child until one of them writes', async () => {
    const machine = new Machine();
    const numa = openNuma({ machine });
    const buffer = numa.allocate(4 * PAGE, { policy: bind(0) });
    buffer.bytes.fill(9);
    const child = machine.self.fork();
    const copy = openNuma({ backend: child.backend }).attach(buffer.handle);
    expect(copy.bytes[100]).toBe(9);
    expect((await buffer.migrate({ to: 1 })).pages).toMatchObject({ shared: 4, moved: 0 });
    copy.touch({ lengthBytes: PAGE });
    expect((await buffer.migrate({ to: 1 })).pages).toMatchObject({ shared: 3, moved: 1 });
    expect((await buffer.migrate({ to: 1, includeShared: true })).complete).toBe(true);
    expect(copy.residencySync().byNode).toEqual({ 0: 1, 1: 3 });
    child.exit();
    expect([child.isRunning, machine.invariantBreaches()]).toEqual([false, []]);
  });

  test('that has ended answers nothing', () => {
    const process = new Machine().process();
    const numa = openNuma({ backend: process.backend });
    const buffer = numa.allocate(PAGE);
    process.exit();
    process.exit();
    expect(thrownBy(() => numa.freeMemory(0)).error).toMatchObject({ errnoName: 'ESRCH' });
    for (const verb of [() => process.thread(), () => process.fork()]) {
      expect(thrownBy(verb).code).toBe('NUMA_NO_SUCH_PROCESS');
    }
    buffer.release();
  });

  test('is asked for with checked options', () => {
    const machine = new Machine();
    const calls: [() => unknown, string][] = [
      [() => machine.process({ uid: -1 }), 'ERR_OUT_OF_RANGE'],
      [() => machine.process({ capabilities: ['CAP_KILL'] as never }), 'ERR_INVALID_ARG_VALUE'],
      [() => machine.process({ capabilities: 'CAP_SYS_NICE' as never }), 'ERR_INVALID_ARG_TYPE'],
      [() => machine.process({ gid: 0 } as never), 'ERR_INVALID_ARG_VALUE'],
      [() => new Machine(presets.fourNodes, { kernel: '5.4' as never }), 'ERR_INVALID_ARG_VALUE'],
      [() => new Machine(presets.fourNodes, { pageSizeBytes: 512 }), 'ERR_INVALID_ARG_VALUE'],
      [() => machine.setInterleaveWeight(9, 1), 'ERR_INVALID_ARG_VALUE'],
      [() => machine.setInterleaveWeight(0, 256), 'ERR_OUT_OF_RANGE'],
      [() => Object.assign(machine, { hugePages: 'on' }), 'ERR_INVALID_ARG_VALUE'],
    ];
    for (const [call, code] of calls) expect(thrownBy(call).code).toBe(code);
  });
});

describe('a thread', () => {
  test('has a policy and a CPU of its own, and the memory of its process', () => {
    const machine = new Machine();
    const numa = openNuma({ machine });
    numa.thread.setPolicy(bind(1));
    const thread = machine.self.thread();
    const other = openNuma({ backend: thread.backend });
    expect(`${other.thread.policy()}`).toBe('bind:1');
    other.thread.setPolicy(bind(2));
    other.thread.setAffinity([1]);
    expect([thread.cpu, `${numa.thread.policy()}`]).toEqual([1, 'bind:1']);
    const buffer = numa.allocate(2 * PAGE);
    buffer.touch({ lengthBytes: PAGE });
    other.attach(buffer.handle).touch();
    expect(buffer.residencySync().byNode).toEqual({ 1: 1, 2: 1 });
  });

  test('pins pages, which stay where they are until it lets go', async () => {
    const machine = new Machine();
    const numa = openNuma({ machine });
    const buffer = numa.allocate(10 * PAGE, { policy: bind(0) });
    buffer.touch();
    const unpin = machine.self.mainThread.pin({ address: buffer.address, pageCount: 2 });
    const { error } = await failureOf(() => buffer.migrate({ to: 1, strict: true }));
    expect((error as NumaError).report?.pages).toMatchObject({ moved: 8, busy: 2 });
    unpin();
    expect((await buffer.migrate({ to: 1, strict: true })).pages.moved).toBe(2);
    const nowhere = { address: 0n, pageCount: 1 };
    expect(thrownBy(() => machine.self.mainThread.pin(nowhere)).code).toBe('NUMA_RANGE_UNMAPPED');
  });
});

describe('the bare calls', () => {
  test.each(kernelLines)('answer as the kernel does, Linux %s', (kernel) => {
    const machine = new Machine(presets.twoSockets, { kernel });
    const syscalls = openSyscalls(machine.self.backend);
    const nodemask = { words: BigUint64Array.of(3n), maxnode: 65 };
    const answer = syscalls.setMempolicy({ mode: MPOL.WEIGHTED_INTERLEAVE, nodemask });
    const { hasWeightedInterleave } = kernelFacts(kernel);
    expect(answer).toMatchObject(hasWeightedInterleave ? { ok: true } : { errno: ERRNO.EINVAL });
  });

  test('count pages of 64 kB', async () => {
    const machine = new Machine(presets.twoSockets, { pageSizeBytes: 65_536 });
    const numa = openNuma({ machine });
    const buffer = numa.allocate(3 * 65_536 + 1, { policy: bind(1) });
    buffer.touch();
    const status = new Int32Array(4);
    const pages = { address: buffer.address, pageCount: 4 };
    const call = { pid: 0, pages, nodes: 0, flags: MPOL_MF.MOVE, status };
    expect(openSyscalls(numa).movePagesSync(call)).toEqual({ ok: true, value: 0 });
    expect([...status]).toEqual([0, 0, 0, 0]);
  });
});
