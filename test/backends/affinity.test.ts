/** The CPUs of threads that run already: of another process, and of this thread for a function. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CpuMask } from '../../lib/index.ts';
import { thrownBy } from '../core/thrown.ts';
import { numa } from '../facade/machine.ts';

const FILE = new URL('../facade/workers/placed.mjs', import.meta.url);
/** The flags of the test runner are for nobody else. */
const PLAIN = { execArgv: [] };

const settingHere = (): string => `${numa.thread.affinity()} ${numa.thread.policy()}`;

describe('CPUs of a process', () => {
  test('are those of all of its threads, or of one', async (context) => {
    const [first, second] = numa.thread.affinity().toArray() as [number, number?];
    if (second === undefined) return context.skip('needs two CPUs');
    if (!existsSync(new URL('../../dist/index.js', import.meta.url))) {
      context.skip('dist is missing: npm run build:ts');
    }
    const { child } = numa.fork(FILE, ['stay'], {}, PLAIN);
    await once(child, 'message');
    const target = numa.process(child.pid);
    const all = await target.setAffinity(second);
    expect(all.length).toBeGreaterThan(1);
    expect(all[0]).toEqual({ tid: child.pid, cpus: CpuMask.of(second) });
    expect(new Set(all.map(({ cpus }) => `${cpus}`))).toEqual(new Set([`${second}`]));
    const { tid } = all.at(-1) as { tid: number };
    expect(await target.setAffinity([first], { tid })).toEqual([{ tid, cpus: CpuMask.of(first) }]);
    const again = await target.threads();
    expect(again.length).toBe(all.length);
    child.send('end');
    await once(child, 'exit');
    await expect(target.setAffinity(first)).rejects.toMatchObject({ code: 'NUMA_NO_SUCH_PROCESS' });
  });

  test.each([
    ['none', [[]], 'ERR_INVALID_ARG_VALUE'],
    ['no list', ['x'], 'ERR_INVALID_ARG_VALUE'],
    ['a thread of another process', ['all', { tid: 1 }], 'ERR_OUT_OF_RANGE'],
    ['no thread', ['all', { tid: 0 }], 'ERR_OUT_OF_RANGE'],
    ['no option', ['all', { thread: 1 }], 'ERR_INVALID_ARG_VALUE'],
  ] as const)('are refused: %s', async (_, values, code) => {
    const call = numa.process().setAffinity(...(values as unknown as ['all']));
    await expect(call).rejects.toMatchObject({ code });
  });
});

describe('thread.withAffinity()', () => {
  test('runs on these CPUs and restores those before, also when it throws', () => {
    const before = settingHere();
    const cpu = numa.thread.affinity().toArray().at(-1) as number;
    expect(numa.thread.withAffinity(cpu, () => numa.thread.cpu().cpu)).toBe(cpu);
    expect(settingHere()).toBe(before);
    const failing = () => {
      throw new Error('inside');
    };
    expect(() => numa.thread.withAffinity([cpu], failing)).toThrow('inside');
    expect(settingHere()).toBe(before);
    const { code, message } = thrownBy(() => numa.thread.withAffinity(cpu, async () => cpu));
    expect(code).toBe('ERR_INVALID_ARG_VALUE');
    expect(message).toContain('after the CPUs are restored');
    expect(settingHere()).toBe(before);
  });
});
