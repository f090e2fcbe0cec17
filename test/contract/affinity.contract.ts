/**
 * The CPUs of threads beside the calling one.
 *
 * Source: sched_setaffinity(2); kernel/sched/syscalls.c (core.c before 6.11), sched_setaffinity().
 */

import { expect } from 'vitest';
import { expectValue } from '../support/expect-value.ts';
import { familyFor } from './objects.ts';
import {
  type Conditions,
  type DeclareTest,
  NOBODY,
  type OpenSubject,
  type Scene,
} from './scene.ts';
import type { WorldProcess } from './world.ts';

const SHARING: Conditions = { traits: ['sharing'] };
const USERS: Conditions = { traits: ['sharing', 'setuid'] };
/** No kernel has so many. */
const NO_CPU = 1023;

const affinityOf = async (process: WorldProcess): Promise<number[]> =>
  expectValue(await process.affinity());

async function firstCpu({ process }: Scene): Promise<number> {
  return (await affinityOf(process))[0] as number;
}

function declareReach(declare: DeclareTest): void {
  declare(
    'a number is that of one thread: others of its process keep their CPUs',
    { traits: ['sharing', 'threads'], tags: ['cpus'] },
    async ({ process, skip }) => {
      const child = await process.fork();
      const other = await child.thread();
      const before = await affinityOf(child);
      if (before.length < 2) skip('needs two CPUs');
      const last = before.at(-1) as number;
      expect(await process.runOnCpu(last, child.pid)).toSucceed();
      expect(await affinityOf(child)).toEqual([last]);
      expect(await affinityOf(other)).toEqual(before);
      expect(await affinityOf(process)).toEqual(before);
    },
  );

  declare('a process that has gone is not found', SHARING, async (scene) => {
    const { process } = scene;
    const child = await process.fork();
    await child.exit();
    expect(await process.runOnCpu(NO_CPU, child.pid)).toFailWith('sched_setaffinity', 'ESRCH');
  });

  declare('a thread cannot be left without a CPU by another', SHARING, async ({ process }) => {
    const child = await process.fork();
    const before = await affinityOf(child);
    expect(await process.runOnCpu(NO_CPU, child.pid)).toFailWith('sched_setaffinity', 'EINVAL');
    expect(await affinityOf(child)).toEqual(before);
  });
}

function declareUsers(declare: DeclareTest): void {
  declare('another user’s process is closed before the CPUs are judged', USERS, async (scene) => {
    const { process } = scene;
    const child = await process.fork();
    expect(await child.setuid(NOBODY)).toSucceed();
    const cpu = await firstCpu(scene);
    for (const one of [cpu, NO_CPU]) {
      expect(await child.runOnCpu(one, process.pid)).toFailWith('sched_setaffinity', 'EPERM');
    }
    expect(await process.runOnCpu(cpu, child.pid)).toSucceed();
    expect(await affinityOf(child)).toEqual([cpu]);
  });

  declare('equals need no privilege, whatever they may look into', USERS, async (scene) => {
    const { process } = scene;
    const cpu = await firstCpu(scene);
    const [one, other] = [await process.fork(), await process.fork()];
    for (const child of [one, other]) expect(await child.setuid(NOBODY)).toSucceed();
    expect(await one.runOnCpu(cpu, other.pid)).toSucceed();
    expect(await affinityOf(other)).toEqual([cpu]);
  });

  declare('without CAP_SYS_NICE root reaches no more than its equals', USERS, async (scene) => {
    const { process } = scene;
    const cpu = await firstCpu(scene);
    const [one, equal, other] = [
      await process.fork(),
      await process.fork(),
      await process.fork(),
    ] as const;
    expect(await other.setuid(NOBODY)).toSucceed();
    for (const child of [one, equal]) {
      expect(await child.dropCapability('CAP_SYS_NICE')).toSucceed();
    }
    expect(await one.runOnCpu(cpu, other.pid)).toFailWith('sched_setaffinity', 'EPERM');
    expect(await one.runOnCpu(cpu, process.pid)).toFailWith('sched_setaffinity', 'EPERM');
    expect(await one.runOnCpu(cpu, equal.pid)).toSucceed();
    expect(await one.runOnCpu(cpu)).toSucceed();
  });
}

export function affinityContract(subject: OpenSubject): void {
  familyFor(subject, 'CPUs of other threads', ['sharing'], (declare) => {
    declareReach(declare);
    declareUsers(declare);
  });
}
