/** Pools of workers on nodes: our own, and those of the package piscina. */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openNuma, type PiscinaClass, type PiscinaLike } from '../../lib/index.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { rejectionOf, thrownBy } from '../core/thrown.ts';
import { numa } from '../facade/machine.ts';

const FILE = new URL('../facade/workers/answering.mjs', import.meta.url);
/** The flags of the test runner are for nobody else. */
const PLAIN = { execArgv: [] };
const [node] = numa.topology.withCpus.toArray() as [number];
const cpusOfNode = `${numa.thread.affinity()}`;

describe('a pool of workers', () => {
  test('runs tasks on its nodes, one at a time each', async () => {
    await using pool = numa.workerPool(FILE, { nodes: node, workersPerNode: 2 }, PLAIN);
    expect(pool.workers.length).toBe(2);
    expect(pool.workers[0]).toMatchObject({ node, placed: true, policy: { mode: 'bind' } });
    const tasks = ['a', 'b', 'c', 'd'].map((task) => pool.run(task, { node }));
    expect(await Promise.all(tasks)).toEqual(
      ['a', 'b', 'c', 'd'].map((task) => [task, cpusOfNode]),
    );
    const before = `${numa.thread.affinity()} ${numa.thread.policy()}`;
    for (const [task, cause] of [
      ['throw', expect.objectContaining({ message: 'inside the worker' })],
      ['exit', undefined],
    ]) {
      const { error } = await rejectionOf(pool.run(task));
      expect(error).toMatchObject({ code: 'NUMA_WORKER_ENDED', args: { node } });
      expect(error.cause).toEqual(cause);
    }
    // The first place had both, and is taken again.
    expect(pool.workers.length).toBe(1);
    expect(await pool.run('again')).toEqual(['again', cpusOfNode]);
    expect(pool.workers.length).toBe(2);
    expect(`${numa.thread.affinity()} ${numa.thread.policy()}`).toBe(before);
  });

  test('tells a task why its worker cannot be loaded, and idle ones end nothing else', async () => {
    const file = new URL('data:text/javascript,throw new Error("not loaded")');
    await using pool = numa.workerPool(file, { nodes: node, workersPerNode: 3 }, PLAIN);
    const idle = pool.workers
      .slice(1)
      .map(({ worker }) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const task of ['first', 'second']) {
      const { error } = await rejectionOf(pool.run(task));
      expect(error).toMatchObject({ code: 'NUMA_WORKER_ENDED', cause: { message: 'not loaded' } });
      await Promise.all(idle);
    }
    expect(pool.workers).toEqual([]);
  });

  test('gives tasks back that are aborted, and all when it is closed', async () => {
    const pool = numa.workerPool(FILE, { nodes: node, bindTo: 'cpu' }, PLAIN);
    const controller = new AbortController();
    const { signal } = controller;
    const running = pool.run('never', { signal });
    const waiting = pool.run('never', { signal });
    const last = pool.run('last');
    controller.abort(new Error('enough'));
    expect((await rejectionOf(running)).message).toBe('enough');
    expect((await rejectionOf(waiting)).message).toBe('enough');
    expect((await rejectionOf(pool.run('x', { signal }))).message).toBe('enough');
    const [, cpus] = await (last as Promise<string[]>);
    expect(numa.thread.affinity().toArray().map(String)).toContain(cpus);
    const unanswered = rejectionOf(pool.run('never'));
    const [placed] = pool.workers;
    const closing = pool.close();
    // What a worker throws in the moment in which it is ended is nobody's.
    placed?.worker.emit('error', new Error('on its way'));
    await closing;
    expect(await unanswered).toMatchObject({ code: 'NUMA_RELEASED' });
    expect(await rejectionOf(pool.run('x'))).toMatchObject({ code: 'NUMA_RELEASED' });
  });

  test.each([
    [{ workersPerNode: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ nodes: '' }, 'ERR_INVALID_ARG_VALUE'],
    [{ nodes: 900 }, 'ERR_OUT_OF_RANGE'],
    [{ bindTo: 'core' }, 'ERR_INVALID_ARG_VALUE'],
    [{ policy: 'local' }, 'ERR_INVALID_ARG_VALUE'],
    [{ bindTo: 'cpu', workersPerNode: 4000 }, 'NUMA_CPUS_IN_USE'],
  ])('is refused, and leaves no worker: %o', (placement, code) => {
    const before = `${numa.thread.affinity()} ${numa.thread.policy()}`;
    expect(thrownBy(() => numa.workerPool(FILE, placement as object, PLAIN)).code).toBe(code);
    expect(`${numa.thread.affinity()} ${numa.thread.policy()}`).toBe(before);
  });
});

describe('on the simulator', () => {
  const simulated = openNuma({ machine: new Machine(presets.twoSockets) });

  test('workers and children are real ones without placement, and it says so', async () => {
    const placement = { cpuNodes: 1, memoryNodes: 'same' } as const;
    const { worker, ...outcome } = simulated.worker(FILE, placement, PLAIN);
    expect(outcome).toMatchObject({ placed: false, policy: { mode: 'bind' } });
    expect(`${outcome.cpus}`).toBe(`${simulated.topology.nodes[1]?.cpus}`.replace(/,.*,/, '-'));
    expect(outcome.reason).toContain('a machine of its own for each thread of JavaScript');
    worker.postMessage('a');
    expect((await once(worker, 'message'))[0]).toEqual(['a', cpusOfNode]);
    await worker.terminate();
    const { child, placed } = simulated.spawn(process.execPath, ['--version'], placement);
    expect([placed, await once(child, 'exit')]).toEqual([false, [0, null]]);
    expect(thrownBy(() => simulated.worker(FILE, { cpuNodes: 2 })).code).toBe('ERR_OUT_OF_RANGE');
  });

  test('of another backend without threads of this process are told so', async () => {
    const backend = new Proxy(new Machine(presets.fourNodes).self.backend, {
      get(target, name) {
        if (name === 'identity') return { kind: 'recording', kernel: 'none', libnuma: null };
        if (name === 'pid') return 4321;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { worker, ...outcome } = openNuma({ backend }).worker(FILE, { cpuNodes: 1 }, PLAIN);
    await worker.terminate();
    expect(outcome).toMatchObject({ placed: false, reason: expect.stringContaining('4321') });
    expect(outcome.reason).not.toContain('simulator');
  });

  test('workers share what packages and caches share', async () => {
    for (const bindTo of ['package', 'cache'] as const) {
      await using pool = simulated.workerPool(FILE, { bindTo }, PLAIN);
      expect(pool.workers.map(({ node: of, placed }) => [of, placed])).toEqual([
        [0, false],
        [1, false],
      ]);
      const own = simulated.topology.nodes.map(({ cpus }) => cpus);
      expect(pool.workers.map(({ cpus }) => cpus?.toArray())).toEqual(own);
    }
  });
});

describe('pools of piscina', () => {
  const options = { filename: fileURLToPath(FILE), ...PLAIN, argv: ['piscina'] };

  test('have their workers on their nodes, again after one has ended', async (context) => {
    // By a name that no compiler looks for: it is no dependency.
    const name = 'piscina';
    const loaded = await import(name).catch((error) => {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
      return context.skip('piscina is not installed here');
    });
    const Piscina = loaded.Piscina as PiscinaClass<PiscinaLike>;
    const cpu = numa.thread.affinity().toArray().at(-1) as number;
    // Of what piscina starts by itself the difference would be seen.
    numa.thread.withAffinity(cpu, () => {});
    await using pools = numa.piscinaPools(Piscina, options as never, { nodes: node });
    const before = `${numa.thread.affinity()} ${numa.thread.policy()}`;
    expect(pools.pools[0]).toMatchObject({ node, placed: true, policy: { mode: 'bind' } });
    expect(await pools.run('a', { node })).toEqual(['a', cpusOfNode]);
    await expect(pools.run('exit')).rejects.toThrow();
    const [first] = pools.pools;
    expect(await pools.run('b')).toEqual(['b', cpusOfNode]);
    expect(pools.pools[0]?.pool).not.toBe(first?.pool);
    expect(`${numa.thread.affinity()} ${numa.thread.policy()}`).toBe(before);
    expect(thrownBy(() => pools.run('c', { node: 900 })).code).toBe('ERR_INVALID_ARG_VALUE');
  });

  test('are refused without the class, and with its own numbers of workers', () => {
    const make = (value: unknown, own: object) => () =>
      numa.piscinaPools(value as PiscinaClass<PiscinaLike>, own as never);
    expect(thrownBy(make(undefined, options)).code).toBe('ERR_INVALID_ARG_TYPE');
    const { code, message } = thrownBy(make(Object, { maxThreads: 2 }));
    expect([code, message]).toEqual([
      'ERR_INVALID_ARG_VALUE',
      expect.stringContaining('"options.maxThreads" argument is told by placement.workersPerNode'),
    ]);
  });
});
