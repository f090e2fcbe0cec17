/** Policies of ranges and of the thread: set, read back, obeyed, and put back. */

import { afterEach, describe, expect, test } from 'vitest';
import { compareReleases, MODES_SINCE } from '../../lib/core/kernels.ts';
import {
  bind,
  CpuMask,
  defaultPolicy,
  interleave,
  local,
  type MemoryPolicy,
  type NodeMask,
  preferred,
  preferredMany,
  weightedInterleave,
} from '../../lib/index.ts';
import { failureOf, thrownBy } from '../core/thrown.ts';
import { firstNode, memoryNodes, needNodes, numa } from './machine.ts';
import { allocateOn, PAGE, pinPages } from './placed-buffer.ts';
import { policyInNumaMaps } from './subject.ts';

/** Pages that up to eight nodes share evenly. */
const EVEN_COUNT = 840;
const threadPolicy = `${numa.thread.policy()}`;
afterEach(() => expect(`${numa.thread.policy()}`).toBe(threadPolicy));

const SAME = (policy: MemoryPolicy): string => `${policy}`;
/** Policy, and how the kernel prints it once it is a range's. */
const POLICIES: readonly (readonly [MemoryPolicy, (policy: MemoryPolicy) => string])[] = [
  [defaultPolicy(), SAME],
  [local(), SAME],
  [bind(firstNode), SAME],
  [preferred(firstNode), SAME],
  [preferredMany([firstNode]), SAME],
  [interleave([firstNode]), SAME],
  [bind(firstNode, { flags: ['static-nodes'] }), SAME],
  [interleave([firstNode], { flags: ['static-nodes'] }), SAME],
  [bind(memoryNodes), SAME],
  [interleave('all'), () => `interleave:${numa.allowedNodes()}`],
  [bind('+0'), () => `bind:${firstNode}`],
];

const BALANCED_MANY = MODES_SINCE['MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING'];

/** The releases are upstream's: kernels with later ones in them are not among those tested. */
test.each([
  [MODES_SINCE.MPOL_F_NUMA_BALANCING, bind(firstNode, { flags: ['numa-balancing'] })],
  [MODES_SINCE.MPOL_PREFERRED_MANY, preferredMany([firstNode])],
  [MODES_SINCE.MPOL_WEIGHTED_INTERLEAVE, weightedInterleave([firstNode])],
  [BALANCED_MANY, preferredMany([firstNode], { flags: ['numa-balancing'] })],
])('Linux %s has it, and older ones are told by name: %s', async (since, policy) => {
  using buffer = numa.allocate(PAGE);
  const isOlder = compareReleases(numa.backend.kernel, since) < 0;
  for (const set of [
    () => buffer.setPolicy(policy),
    () => numa.thread.withPolicy(policy, () => {}),
  ]) {
    if (!isOlder) {
      set();
      continue;
    }
    const { code, error } = await failureOf(set);
    expect(code).toBe('NUMA_UNSUPPORTED');
    expect(error.message).toContain(`Linux has it since ${since}, this is`);
  }
});

describe('setPolicy() of a range', () => {
  test.each(POLICIES)('%s is read back, and numa_maps says the same', (policy, expected) => {
    using buffer = numa.allocate(4 * PAGE, { policy: local() });
    buffer.setPolicy(policy);
    expect(`${buffer.policy()}`).toBe(expected(policy));
    buffer.touch();
    if (policy.mode !== 'default') expect(policyInNumaMaps(buffer)).toBe(expected(policy));
  });

  test('of a part leaves the other parts alone', () => {
    using buffer = numa.allocate(4 * PAGE);
    buffer.setPolicy(bind(firstNode), { offsetBytes: PAGE, lengthBytes: 1 });
    const modes = [0, 1, 2].map((page) => buffer.policy({ offsetBytes: page * PAGE }).mode);
    expect(modes).toEqual(['default', 'bind', 'default']);
  });

  test.for([
    ['all', (nodes: NodeMask) => nodes.toArray()],
    [`!${firstNode}`, (nodes: NodeMask) => nodes.toArray().slice(1)],
    ['+0-1', (nodes: NodeMask) => nodes.toArray().slice(0, 2)],
    ['!+0', (nodes: NodeMask) => nodes.toArray().slice(1)],
  ] as const)('resolves %s against the allowed nodes', ([text, expected], context) => {
    needNodes(context, 2);
    const nodes = expected(numa.allowedNodes());
    using buffer = numa.allocate(EVEN_COUNT * PAGE, { policy: interleave(text) });
    expect((buffer.policy().nodes as NodeMask).toArray()).toEqual(nodes);
    buffer.touch();
    const { byNode } = buffer.residencySync();
    expect(Object.keys(byNode).map(Number)).toEqual(nodes);
    for (const count of Object.values(byNode)) expect(count).toBe(EVEN_COUNT / nodes.length);
  });

  test('leaves present pages where they are, unless it is told to move them', (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(from, 20);
    buffer.setPolicy(bind(to));
    expect(buffer.residencySync().byNode).toEqual({ [from]: 20 });
    buffer.setPolicy(bind(to), { move: 'own', strict: true });
    expect(buffer.residencySync().byNode).toEqual({ [to]: 20 });
  });

  test('strict alone fails when a page is elsewhere, and changes nothing', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(from, 20);
    const { code, error } = await failureOf(() => buffer.setPolicy(bind(to), { strict: true }));
    expect(code).toBe('NUMA_POLICY_NOT_MET');
    expect(error).toMatchObject({ syscall: 'mbind', errnoName: 'EIO', errno: -5 });
    expect(error.args).toMatchObject({ policy: `bind:${to}`, strict: true });
    expect(`${buffer.policy()}`).toBe('default');
    expect(buffer.residencySync().byNode).toEqual({ [from]: 20 });
  });

  test('strict with move fails on a pinned page, and moves the others', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using buffer = allocateOn(from, 20);
    const unpin = pinPages(buffer, 10);
    try {
      const options = { move: 'own', strict: true } as const;
      const { code } = await failureOf(() => buffer.setPolicy(bind(to), options));
      expect(code).toBe('NUMA_POLICY_NOT_MET');
      expect(`${buffer.policy()}`).toBe(`bind:${to}`);
      expect(buffer.residencySync().byNode).toEqual({ [from]: 1, [to]: 19 });
    } finally {
      unpin();
    }
  });
});

describe('the policy of the thread', () => {
  test.each(POLICIES)('%s is read back', (policy, expected) => {
    const seen = numa.thread.withPolicy(policy, () => `${numa.thread.policy()}`);
    expect(seen).toBe(expected(policy));
  });

  test('decides where pages are touched first', (context) => {
    const [a, b] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(20 * PAGE);
    numa.thread.withPolicy(bind(b), () => {
      buffer.touch({ lengthBytes: 5 * PAGE });
      numa.thread.withPolicy(preferred(a), () => buffer.touch({ lengthBytes: 15 * PAGE }));
      expect(`${numa.thread.policy()}`).toBe(`bind:${b}`);
    });
    expect(buffer.residencySync().byNode).toEqual({ [a]: 10, [b]: 5 });
  });

  test('is set until it is set again', () => {
    numa.thread.setPolicy(bind(firstNode));
    try {
      expect(`${numa.thread.policy()}`).toBe(`bind:${firstNode}`);
    } finally {
      numa.thread.setPolicy(defaultPolicy());
    }
  });

  test('comes back when the function throws', () => {
    const error = new Error('inside');
    const run = (): never => {
      throw error;
    };
    expect(thrownBy(() => numa.thread.withPolicy(bind(firstNode), run)).error).toBe(error);
    expect(`${numa.thread.policy()}`).toBe(threadPolicy);
  });

  test('gives the value of the function', () => {
    // biome-ignore lint/suspicious/noThenProperty: not a promise, all the same.
    const value = { then: 7 };
    expect(numa.thread.withPolicy(bind(firstNode), () => value)).toBe(value);
  });

  const thenables: readonly (readonly [string, () => unknown])[] = [
    ['an async function', async () => 1],
    ['a promise that rejects', () => Promise.reject(new Error('nobody waits'))],
    // biome-ignore lint/suspicious/noThenProperty: the very thing to be refused.
    ['an object with then()', () => ({ then() {} })],
    [
      'an object whose then() throws',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: the very thing to be refused.
        then() {
          throw new Error('not even this');
        },
      }),
    ],
  ];
  test.each(thenables)('refuses %s, after it has put the policy back', (_, run) => {
    const { code, message } = thrownBy(() => numa.thread.withPolicy(bind(firstNode), run));
    expect(code).toBe('ERR_INVALID_ARG_VALUE');
    expect(message).toContain('must be synchronous');
    expect(`${numa.thread.policy()}`).toBe(threadPolicy);
  });
});

describe('the CPU of the thread', () => {
  const usable = numa.thread.affinity();
  afterEach(() => numa.thread.setAffinity(usable));

  test('is one of those that it may run on, on a node that has it', () => {
    const { cpu, node } = numa.thread.cpu();
    expect(usable).toContain(cpu);
    expect(numa.topology.node(node).cpus).toContain(cpu);
  });

  test('follows the affinity', () => {
    for (const cpu of [...usable].slice(0, 3)) {
      numa.thread.setAffinity(new Set([cpu]));
      expect(numa.thread.affinity()).toEqual(CpuMask.of(cpu));
      expect(numa.thread.cpu().cpu).toBe(cpu);
    }
  });

  test('decides where pages go under the local policy', (context) => {
    needNodes(context, 2);
    for (const node of numa.topology.withCpus.intersection(numa.topology.withMemory)) {
      numa.thread.setAffinity(numa.topology.node(node).cpus ?? []);
      using buffer = numa.allocate(8 * PAGE, { policy: local() });
      buffer.touch();
      expect(buffer.residencySync().byNode).toEqual({ [node]: 8 });
    }
  });
});
