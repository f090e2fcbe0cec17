/** CPUs and memory of a thread, bound in one verb. */

import { afterEach, describe, expect, test } from 'vitest';
import { type Backend, bind, CpuMask, defaultPolicy, NodeMask, openNuma } from '../../lib/index.ts';
import { ERRNO } from '../../lib/syscalls/public.ts';
import { failureOf } from '../core/thrown.ts';
import { memoryNodes, needMemoryOnlyNode, needNodes, numa } from './machine.ts';
import { PAGE } from './placed-buffer.ts';
import { openBackend } from './subject.ts';

const { thread, topology } = numa;
const usable = thread.affinity();
const home = memoryNodes[0] as number;
const homeCpus = CpuMask.from(topology.node(home).cpus ?? []).intersection(usable);

const FORBIDDEN = { setMempolicy: 'set_mempolicy', schedSetaffinity: 'sched_setaffinity' };

/** What a sandbox leaves of the calls. */
function forbidding(call: string): Backend {
  const syscall = FORBIDDEN[call as keyof typeof FORBIDDEN];
  return new Proxy(openBackend(), {
    get: (target, name) => {
      if (name === call) return () => ({ ok: false, syscall, errno: ERRNO.EPERM });
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('bind() of a thread', () => {
  afterEach(() => {
    thread.setPolicy(defaultPolicy());
    thread.setAffinity(usable);
  });

  test('binds CPUs and memory to the same nodes, whichever is named', () => {
    for (const options of [{ cpus: homeCpus }, { nodes: home }, { cpus: homeCpus, nodes: home }]) {
      const outcome = thread.bind(options);
      expect(outcome.cpus).toMatchObject({ bound: homeCpus, error: null });
      expect(outcome.memory).toEqual({
        ...{ wanted: NodeMask.of(home), bound: NodeMask.of(home), error: null },
      });
      expect([`${thread.policy()}`, thread.affinity()]).toEqual([`bind:${home}`, homeCpus]);
      expect(outcome.cpuNodesWithoutMemory.isEmpty).toBe(true);
      expect(outcome.memoryNodesWithoutCpus.isEmpty).toBe(true);
      using buffer = numa.allocate(PAGE);
      buffer.touch();
      expect(buffer.residencySync().byNode).toEqual({ [home]: 1 });
    }
  });

  test('tells CPUs and memory that are apart', (context) => {
    const far = needMemoryOnlyNode(context);
    const { complete, ...outcome } = thread.bind({ cpus: homeCpus, nodes: far });
    expect(complete).toBe(true);
    expect(outcome.cpuNodesWithoutMemory).toEqual(NodeMask.of(home));
    expect(outcome.memoryNodesWithoutCpus).toEqual(NodeMask.of(far));
  });

  test('needs CPUs by name for nodes that have none', async (context) => {
    const far = needMemoryOnlyNode(context);
    const { code, message } = await failureOf(() => thread.bind({ nodes: far }));
    expect([code, message]).toEqual(['ERR_OUT_OF_RANGE', expect.stringContaining('name cpus')]);
  });

  test('binds memory also where the CPUs are refused, and says so', () => {
    const { cpus, memory, complete } = thread.bind({ cpus: 8191, nodes: home });
    expect(complete).toBe(false);
    expect(cpus).toMatchObject({ bound: usable, error: { code: 'NUMA_INVALID_ARGUMENT' } });
    expect(memory).toMatchObject({ bound: NodeMask.of(home), error: null });
  });

  test('tells the CPUs that the kernel left out', () => {
    const wanted = homeCpus.union(CpuMask.of(8191));
    const { cpus, complete } = thread.bind({ cpus: wanted, nodes: home });
    expect(complete).toBe(false);
    expect(cpus).toEqual({ wanted, bound: homeCpus, error: null });
  });

  test('undoes both when it is strict', async () => {
    thread.setPolicy(defaultPolicy());
    for (const [cpus, wanted] of [
      [CpuMask.of(8191), 'NUMA_INVALID_ARGUMENT'],
      [homeCpus.union(CpuMask.of(8191)), 'NUMA_NOT_PERMITTED'],
    ] as const) {
      const { code } = await failureOf(() => thread.bind({ cpus, nodes: home, strict: true }));
      expect(code).toBe(wanted);
      expect([`${thread.policy()}`, thread.affinity()]).toEqual(['default', usable]);
    }
  });

  test('gives back the half that was done where a sandbox forbids the other', async () => {
    const cpus = CpuMask.of(usable.first as number);
    for (const [call, syscall] of Object.entries(FORBIDDEN)) {
      const own = openNuma({ backend: forbidding(call) }).thread;
      const { error } = await failureOf(() => own.bind({ cpus, nodes: home, strict: true }));
      expect([error.code, error.syscall]).toEqual(['NUMA_NOT_PERMITTED', syscall]);
      expect(error.message).not.toContain('restoring');
      expect([`${thread.policy()}`, thread.affinity()]).toEqual(['default', usable]);
    }
  });

  test('is undone for workers and children, and the error is of what was forbidden', async () => {
    const place = { cpus: CpuMask.of(usable.first as number), memoryNodes: home };
    const own = openNuma({ backend: forbidding('setMempolicy') });
    const verbs = [
      () => own.thread.withPolicy(bind(home), () => 1),
      () => own.worker('nowhere.mjs', place),
      () => own.spawn('true', [], place),
      () => own.fork('nowhere.mjs', [], place),
      () => own.workerPool('nowhere.mjs', { workersPerNode: 1, nodes: home }),
    ];
    for (const verb of verbs) {
      const { error } = await failureOf(verb);
      expect([error.code, error.syscall]).toEqual(['NUMA_NOT_PERMITTED', 'set_mempolicy']);
      expect(error.message).not.toContain('restoring');
      expect([`${thread.policy()}`, thread.affinity()]).toEqual(['default', usable]);
    }
  });

  test('changes nothing where nodes are not allowed', async (context) => {
    needNodes(context, 1);
    const { code } = await failureOf(() => thread.bind({ cpus: homeCpus, nodes: 1000 }));
    expect([code, thread.affinity()]).toEqual(['ERR_OUT_OF_RANGE', usable]);
  });
});
