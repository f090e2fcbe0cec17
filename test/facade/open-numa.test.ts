/** Which backend answers, why, and what happens where none can be had. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { oldestKernelLine } from '../../lib/core/kernels.ts';
import { type Backend, Numa, openNuma } from '../../lib/index.ts';
import { hostMemoryNodes } from '../../lib/native-backend/native-backend.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { ERRNO, openSyscalls } from '../../lib/syscalls/public.ts';
import { failureOf, thrownBy } from '../core/thrown.ts';
import { firstNode, numa } from './machine.ts';
import { openBackend } from './subject.ts';

const VARIABLE = 'NODE_NUMA_BACKEND';

const before = process.env[VARIABLE];

function setVariable(word: string | undefined): void {
  if (word === undefined) delete process.env[VARIABLE];
  else process.env[VARIABLE] = word;
}

beforeEach(() => setVariable(undefined));
afterEach(() => setVariable(before));

describe('openNuma()', () => {
  test('native works on any number of nodes, and says who answers', () => {
    const opened = openNuma({ backend: 'native' });
    expect(opened).toBeInstanceOf(Numa);
    expect(opened.backend).toEqual({
      kind: 'native',
      reason: 'asked for by the caller',
      kernel: expect.stringMatching(/^\d+\.\d+/),
      libnuma: expect.stringMatching(/^libnuma\.so/),
    });
    expect(Object.isFrozen(opened.backend)).toBe(true);
  });

  test('host is this kernel with all of its nodes, one or several', () => {
    const opened = openNuma({ backend: 'host' });
    expect(opened.backend).toMatchObject({ kind: 'native', reason: 'asked for by the caller' });
    const { nodes } = openNuma({ backend: 'native' }).topology;
    expect(opened.topology.nodes.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
    setVariable('host');
    expect(openNuma().backend).toEqual({ ...opened.backend, reason: `asked for by ${VARIABLE}` });
  });

  test('auto is native where something can be moved between nodes', (context) => {
    const { count } = hostMemoryNodes();
    if (count < 2) context.skip(`needs 2 nodes with memory; this machine has ${count}`);
    for (const options of [undefined, {}, { backend: 'auto' as const }]) {
      const { kind, reason } = openNuma(options).backend;
      expect([kind, reason]).toEqual(['native', `this host has ${count} nodes with memory`]);
    }
  });

  test('auto on a machine with one node simulates four, and says so', (context) => {
    if (hostMemoryNodes().count >= 2) context.skip('this machine has several nodes');
    expect(openNuma().backend).toMatchObject({
      kind: 'simulator',
      reason: expect.stringMatching(
        /^this host has one node with memory; simulates the preset "four-nodes", not this host$/,
      ),
      libnuma: null,
    });
  });

  test('the simulator can be had anywhere, and is one machine for all who ask', () => {
    const first = openNuma({ backend: 'simulator' });
    expect(first.backend.reason).toMatch(/^asked for by the caller; simulates the preset/);
    expect(first.topology.nodes.length).toBe(4);
    using buffer = first.allocate(first.pageSizeBytes);
    expect(openNuma({ backend: 'simulator' }).attach(buffer.handle).address).toBe(buffer.address);
  });
});

test("the bare calls go to this host's kernel, one node or several", () => {
  setVariable('simulator');
  const none = { pid: 2 ** 22 - 1, pages: BigUint64Array.of(0n), nodes: null, flags: 0 };
  const answer = openSyscalls().movePagesSync({ ...none, status: new Int32Array(1) });
  expect(answer).toMatchObject({ ok: false, errno: ERRNO.ESRCH });
});

describe('the choice of a backend', () => {
  test('is the environment where no option is given', () => {
    setVariable('native');
    expect(openNuma().backend.reason).toBe(`asked for by ${VARIABLE}`);
    setVariable('simulator');
    expect(openNuma().backend).toMatchObject({
      kind: 'simulator',
      reason: expect.stringContaining(`asked for by ${VARIABLE}; simulates`),
    });
  });

  test('is the option before the environment', () => {
    setVariable('simulator');
    expect(openNuma({ backend: 'native' }).backend.reason).toBe('asked for by the caller');
  });

  test('an empty variable is none', () => {
    setVariable('');
    const outcome = (): string => {
      try {
        return openNuma().backend.reason;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(outcome()).toMatch(/this host has/);
  });

  test.each(['Native', 'mbind', ' native', '0'])('an unknown word is refused: %s', (word) => {
    setVariable(word);
    const { code, message } = thrownBy(() => openNuma());
    expect(code).toBe('ERR_INVALID_ARG_VALUE');
    expect(message).toContain(`"${VARIABLE}" argument must be one of auto, host, native`);
  });
});

/** Hands every call on, and writes its name down. */
function recording(inner: Backend, calls: string[]): Backend {
  const identity = { kind: 'recording', kernel: 'somebody else', libnuma: null };
  return new Proxy(inner, {
    get(target, name) {
      if (name === 'identity') return identity;
      const value = target[name as keyof Backend];
      if (typeof value !== 'function') return value;
      return (...parameters: never[]) => {
        calls.push(String(name));
        return (value as (...parameters: never[]) => unknown).apply(target, parameters);
      };
    },
  });
}

describe('a machine', () => {
  const machine = new Machine(presets.sparseIds, { kernel: oldestKernelLine });

  test.each([undefined, 'auto', 'simulator'] as const)('means the simulator (%s)', (backend) => {
    setVariable('native');
    const opened = openNuma({ machine, ...(backend === undefined ? {} : { backend }) });
    expect(opened.backend).toEqual({
      kind: 'simulator',
      reason: 'the caller gave the machine "sparse-ids"',
      kernel: `${oldestKernelLine}.0`,
      libnuma: null,
    });
    expect(`${opened.topology.online}`).toBe('0,2,5');
  });

  test('and another backend are refused together', () => {
    for (const backend of ['host' as const, 'native' as const, machine.self.backend]) {
      const { code, message } = thrownBy(() => openNuma({ machine, backend }));
      expect(code).toBe('ERR_INVALID_ARG_VALUE');
      expect(message).toContain('"options.backend"');
    }
  });
});

describe('a backend of a third party', () => {
  test('is taken as it is, and named in every result', async () => {
    const calls: string[] = [];
    const third = openNuma({ backend: recording(openBackend(), calls) });
    expect(third.backend).toMatchObject({ kind: 'recording', reason: 'given by the caller' });
    using buffer = third.allocate(third.pageSizeBytes);
    buffer.touch();
    const report = await buffer.migrate({ to: firstNode });
    expect(report.backend).toBe('recording');
    expect((await third.process().migrate({ from: firstNode, to: firstNode })).backend).toBe(
      'recording',
    );
    const { error } = await failureOf(() => third.allocate(2 ** 52));
    expect(error.backend).toBe('recording');
    expect(calls).toEqual(expect.arrayContaining(['topology', 'mmap', 'touch', 'movePages']));
  });

  test('is asked for nothing that a verb does not need', async () => {
    const calls: string[] = [];
    const third = openNuma({ backend: recording(openBackend(), calls) });
    expect(calls.splice(0)).toEqual(['topology']);
    using buffer = third.allocate(third.pageSizeBytes);
    expect(calls.splice(0)).toEqual(['mmap']);
    const { address, lengthBytes, pageCount, isReleased, handle } = buffer;
    expect([typeof address, lengthBytes, pageCount, isReleased, typeof handle]).toEqual([
      'bigint',
      third.pageSizeBytes,
      1,
      false,
      'object',
    ]);
    expect([third.topology.nodes.length > 0, calls]).toEqual([true, []]);
    await buffer.residency();
    // Kernels before 6.12 do not tell an untouched page from a zero page: a second look does.
    expect(calls.splice(0).filter((call) => call !== 'pagemap')).toEqual(['movePages']);
  });

  test.each([
    [{}],
    [{ mmap() {}, movePages() {}, topology() {} }],
    [{ identity: { kind: 'x' } }],
    [[]],
    [new Map()],
  ])('that is none is refused (%#)', (backend) => {
    const { code, message } = thrownBy(() => openNuma({ backend: backend as never }));
    expect(code).toBe('ERR_INVALID_ARG_TYPE');
    expect(message).toContain('"options.backend"');
  });

  test('whose topology cannot be read is a system error', () => {
    const refusing: Backend = Object.create(openBackend(), {
      identity: { value: { kind: 'refusing', kernel: 'none', libnuma: null } },
      topology: { value: () => ({ ok: false, errno: 13, syscall: 'topology' }) },
    });
    const { code, error } = thrownBy(() => openNuma({ backend: refusing }));
    expect(code).toBe('NUMA_SYSTEM_ERROR');
    expect(error).toMatchObject({ syscall: 'topology', errnoName: 'EACCES', backend: 'refusing' });
  });
});

describe('the topology', () => {
  test('is a snapshot that nobody can change', () => {
    const { topology } = numa;
    expect(topology.nodes.length).toBeGreaterThan(0);
    for (const value of [topology, topology.nodes, topology.nodes[0], topology.nodes[0]?.cpus]) {
      expect(Object.isFrozen(value)).toBe(true);
    }
  });

  test('has distances for every pair, the node itself the nearest', () => {
    const { topology } = numa;
    for (const { id, memoryBytes } of topology.nodes) {
      expect(topology.distance(id, id)).toBe(10);
      expect(topology.nearestFirst(id)[0]).toBe(id);
      const order = topology.nearestFirst(id).map((other) => Number(topology.distance(id, other)));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(topology.node(id).id).toBe(id);
      if (memoryBytes !== null && memoryBytes > 0) {
        expect(numa.freeMemory(id)).toBeGreaterThan(0);
        expect(numa.freeMemory(id)).toBeLessThan(memoryBytes);
      }
    }
    expect(numa.allowedNodes().isSubsetOf(topology.online)).toBe(true);
  });
});
