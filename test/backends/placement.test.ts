/**
 * Workers and children begin where they are placed, and who starts them has its own back: on this
 * host's kernel, one node included. Where their memory is: test/facade/placed-memory.test.ts.
 */

import { type EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, type TestContext, test } from 'vitest';
import {
  type Backend,
  bind,
  CpuMask,
  local,
  type Numa,
  openNuma,
  type PlacedWorker,
  type Placement,
} from '../../lib/index.ts';
import { thrownBy } from '../core/thrown.ts';
import { firstNode, numa } from '../facade/machine.ts';
import { openBackend } from '../facade/subject.ts';

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

/** This kernel, but for some calls that answer otherwise. */
function numaWith(own: Partial<Backend>): Numa {
  const backend = new Proxy(openBackend(), {
    get(target, name) {
      const value = own[name as keyof Backend] ?? target[name as keyof Backend];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return openNuma({ backend });
}

test('CPUs outside of the cpuset are refused, and others of their node taken', async (context) => {
  const [first, second] = needCpus(context, 2) as [number, number];
  const before = settingHere();
  const cut = numaWith({ schedGetaffinity: () => ({ ok: true, value: [first] }) });
  const { code, message } = thrownBy(() => cut.worker(FILE, { cpus: [first, second] }, PLAIN));
  expect([code, message]).toEqual([
    'ERR_OUT_OF_RANGE',
    expect.stringContaining(`CPU ${second} is outside of the cpuset`),
  ]);
  const node = numa.topology.nodeOfCpu(first) as number;
  const { worker, cpus } = cut.worker(FILE, { cpuNodes: node }, PLAIN);
  expect(`${cpus}`).toBe(`${first}`);
  await once(worker, 'exit');
  numa.thread.setAffinity('0-8191');
  expect(settingHere()).toBe(before);
});

test('where this thread cannot have its own back, what was started is ended', async () => {
  const before = numa.thread.affinity();
  let calls = 0;
  const failing = numaWith({
    schedSetaffinity: (cpus) => {
      calls += 1;
      const refused = { ok: false, errno: 22, syscall: 'sched_setaffinity' } as const;
      return calls === 2 ? refused : openBackend().schedSetaffinity(cpus);
    },
  });
  const started = once(process, 'worker') as Promise<[Worker]>;
  expect(thrownBy(() => failing.worker(FILE, { cpus: '+0' }, PLAIN)).code).toBe(
    'NUMA_INVALID_ARGUMENT',
  );
  numa.thread.setAffinity(before);
  const [worker] = await started;
  await once(worker, 'exit');
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
      const ended = new Promise((resolve) => worker.on('exit', resolve));
      const died = new Promise((resolve) => worker.on('error', resolve));
      expect(await died).toMatchObject({ message: 'died while it started' });
      await ended;
      const { child } = numa.spawn('/no/such/program', [], { exclusiveCpus: count });
      const closed = new Promise((resolve) => child.on('close', resolve));
      const failed = new Promise((resolve) => child.on('error', resolve));
      expect(await failed).toMatchObject({ code: 'ENOENT' });
      await closed;
    }
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
