/**
 * Workers and children begin where they are placed, and who starts them has its own back: on this
 * host's kernel, one node included. Where their memory is: test/facade/placed-memory.test.ts.
 */

import { type EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { bind, CpuMask, local, type PlacedWorker, type Placement } from '../../lib/index.ts';
import { thrownBy } from '../core/thrown.ts';
import { firstNode, numa } from '../facade/machine.ts';

interface Told {
  readonly cpus: string;
  readonly policy: string;
}

const FILE = new URL('../facade/workers/placed.mjs', import.meta.url);
const MODULE = fileURLToPath(FILE);
/** The flags of the test runner are for nobody else. */
const PLAIN = { execArgv: [] };

beforeEach((context) => {
  if (!existsSync(new URL('../../dist/index.js', import.meta.url))) {
    context.skip('dist is missing: npm run build:ts');
  }
});

const settingHere = (): string => `${numa.thread.affinity()} ${numa.thread.policy()}`;

/** The CPUs here; skips where there are fewer. */
function needCpus(context: TestContext, count: number): number[] {
  const cpus = numa.thread.affinity().toArray();
  if (cpus.length < count) context.skip('needs two CPUs');
  return cpus;
}

function place(placement: Placement, workerData?: string): PlacedWorker {
  return numa.worker(FILE, placement, { ...PLAIN, workerData });
}

async function toldBy({ worker }: PlacedWorker): Promise<Told> {
  const [told] = (await once(worker, 'message')) as [Told];
  return told;
}

/** What it tells, when it has ended: what it had is free then. */
async function toldAtEnd(ended: EventEmitter, told: Promise<unknown>): Promise<Told> {
  const exit = once(ended, 'exit');
  const value = await told;
  await exit;
  return value as Told;
}

/** The three ways to start something, each with what it tells. */
const WAYS: readonly [string, (placement: Placement) => Promise<Told>][] = [
  [
    'a worker',
    (placement) => {
      const placed = place(placement);
      return toldAtEnd(placed.worker, toldBy(placed));
    },
  ],
  [
    'a spawned child',
    async (placement) => {
      const { child } = numa.spawn(process.execPath, [MODULE], placement, {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const output = text(child.stdout as NodeJS.ReadableStream);
      return toldAtEnd(child, output.then(JSON.parse));
    },
  ],
  [
    'a forked child',
    async (placement) => {
      const { child } = numa.fork(FILE, [], placement, PLAIN);
      return toldAtEnd(
        child,
        once(child, 'message').then(([told]) => told),
      );
    },
  ],
];

describe.each(WAYS)('%s', (_, startAndAsk) => {
  test('begins on its CPUs, with its policy, and this thread has its own again', async () => {
    const cpu = numa.thread.affinity().toArray().at(-1) as number;
    numa.thread.setPolicy(local());
    try {
      const before = settingHere();
      const asked = startAndAsk({ cpus: [cpu], memoryNodes: [firstNode], policy: 'interleave' });
      expect(settingHere()).toBe(before);
      const { cpus, policy } = await asked;
      expect([cpus, policy]).toEqual([`${cpu}`, `interleave:${firstNode}`]);
    } finally {
      numa.thread.setPolicy(bind(firstNode));
      numa.thread.setPolicy(local());
    }
  });
});

test('what was asked for is told with what was started', async () => {
  const cpu = numa.thread.affinity().first as number;
  const placed = place({ cpus: cpu, memoryNodes: 'same' });
  const { worker, ...outcome } = placed;
  const ended = once(worker, 'exit');
  const node = numa.topology.nodeOfCpu(cpu);
  expect(outcome).toEqual({
    placed: true,
    reason: null,
    cpus: CpuMask.of(cpu),
    policy: expect.objectContaining({ mode: 'bind' }),
  });
  expect(`${outcome.policy}`).toBe(`bind:${node}`);
  expect((await toldBy(placed)).policy).toBe(`bind:${node}`);
  const plain = place({});
  expect(plain).toMatchObject({ placed: true, cpus: null, policy: null });
  await Promise.all([ended, once(plain.worker, 'exit')]);
});

/** What is wrong, and what the error says. */
const WRONG: readonly [string, () => unknown, string, RegExp][] = [
  ['no CPU', () => place({ cpus: [] }), 'ERR_INVALID_ARG_VALUE', /"placement.cpus".* names no CPU/],
  ['a CPU that is not there', () => place({ cpus: 4000 }), 'ERR_OUT_OF_RANGE', /CPU 4000 is not/],
  ['a node that is not there', () => place({ cpuNodes: 900 }), 'ERR_OUT_OF_RANGE', /node 900 is/],
  ['no nodes', () => place({ memoryNodes: '' }), 'ERR_INVALID_ARG_VALUE', /at least one node/],
  [
    'CPUs in two ways',
    () => place({ cpus: 0, cpuNodes: 0 }),
    'ERR_INVALID_ARG_VALUE',
    /placement.cpus.* goes without placement.cpuNodes/,
  ],
  [
    'a policy with nodes of its own',
    () => place({ memoryNodes: firstNode, policy: bind(firstNode) }),
    'ERR_INVALID_ARG_VALUE',
    /placement.policy.* goes without placement.memoryNodes/,
  ],
  ['a word', () => place({ policy: 'near' as never }), 'ERR_INVALID_ARG_VALUE', /placement.policy/],
  [
    'an unknown member',
    () => place({ node: 0 } as never),
    'ERR_INVALID_ARG_VALUE',
    /"placement.node".* is not known/,
  ],
  [
    'a policy that no thread can have',
    () => place({ cpus: 'all', policy: bind(firstNode, { homeNode: firstNode }) }),
    'ERR_INVALID_ARG_VALUE',
    /home node/,
  ],
  ['a file', () => numa.worker('nothing', { cpus: '+0' }), 'ERR_WORKER_PATH', /nothing/],
  [
    'options of Node.js',
    () =>
      numa.worker(FILE, { cpus: '+0', memoryNodes: firstNode }, {
        execArgv: [''],
        argv: 1,
      } as never),
    'ERR_INVALID_ARG_TYPE',
    /argv/,
  ],
  [
    'arguments of a child',
    () => numa.spawn('', [], { cpus: '+0' }),
    'ERR_INVALID_ARG_VALUE',
    /cannot be empty/,
  ],
  ['so many CPUs', () => place({ exclusiveCpus: 4000 }), 'NUMA_CPUS_IN_USE', /free/],
];

test.each(WRONG)('%s is refused, and nothing is left of it', (_, run, code, words) => {
  const before = settingHere();
  const error = thrownBy(run);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(words);
  expect(settingHere()).toBe(before);
});

describe('exclusive CPUs', () => {
  test('are had by one at a time, and free again when it ends', async (context) => {
    const all = needCpus(context, 2);
    const workers = all.map(() => place({ exclusiveCpus: 1 }, 'stay'));
    const had = await Promise.all(workers.map(toldBy));
    expect(new Set(had.map(({ cpus }) => cpus))).toEqual(new Set(all.map(String)));
    const { code, message } = thrownBy(() => place({ exclusiveCpus: 1 }));
    expect([code, message]).toEqual(['NUMA_CPUS_IN_USE', expect.stringContaining('wait until')]);
    expect(thrownBy(() => place({ cpus: all[0] as number })).code).toBe('NUMA_CPUS_IN_USE');
    const [first, ...others] = workers as [PlacedWorker, ...PlacedWorker[]];
    await first.worker.terminate();
    const again = place({ cpus: 'all', exclusiveCpus: 1 });
    expect(`${again.cpus}`).toBe(`${first.cpus}`);
    await once(again.worker, 'exit');
    await Promise.all(others.map(({ worker }) => worker.terminate()));
  });

  test('are free again when a worker dies while it starts, or a child cannot start', async () => {
    const count = numa.thread.affinity().size;
    for (let round = 0; round < 2; round += 1) {
      const { worker } = place({ exclusiveCpus: count }, 'throw');
      const [error] = (await once(worker, 'error')) as [Error];
      expect(error.message).toBe('died while it started');
      await once(worker, 'exit');
      const { child } = numa.spawn('/no/such/program', [], { exclusiveCpus: count });
      const closed = new Promise((resolve) => child.on('close', resolve));
      const failed = new Promise((resolve) => child.on('error', resolve));
      expect(await failed).toMatchObject({ code: 'ENOENT' });
      await closed;
    }
  });
});

describe('CPUs of a process', () => {
  test('are those of all of its threads, or of one', async (context) => {
    const [first, second] = needCpus(context, 2) as [number, number];
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

test('a thread that is ended while it places others leaves nothing', async () => {
  const before = settingHere();
  const placer = new URL('../facade/workers/placer.mjs', import.meta.url);
  for (let delayMs = 0; delayMs < 40; delayMs += 20) {
    const { worker } = numa.worker(placer, { cpus: '+0', memoryNodes: firstNode }, PLAIN);
    await once(worker, 'message');
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await worker.terminate();
  }
  expect(settingHere()).toEqual(before);
});
