/**
 * What a kernel line lacks, from every verb that takes a policy: NUMA_UNSUPPORTED, with the release
 * that has it. The simulator's kernels, and two older ones whose refusals are modelled on them.
 */

import { describe, expect, test } from 'vitest';
import { NUMA_CALLS, numaCalls } from '../../lib/core/calls.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { compareReleases, MODES_SINCE, oldestKernelLine } from '../../lib/core/kernels.ts';
import { applyPlacement } from '../../lib/facade/placement/apply-placement.ts';
import {
  type Backend,
  bind,
  interleave,
  type MemoryPolicy,
  type Numa,
  type NumaError,
  openNuma,
  preferredMany,
  weightedInterleave,
} from '../../lib/index.ts';
import { kernelLines, Machine } from '../../lib/simulator/public.ts';
import { failureOf } from '../core/thrown.ts';
import { refusing } from '../support/numa-calls.ts';

const MANY = MODES_SINCE.MPOL_PREFERRED_MANY;
const BALANCED_MANY = MODES_SINCE['MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING'];
const HOME_NODE = NUMA_CALLS.set_mempolicy_home_node.since as string;

/** Oldest first. The release is upstream's. */
const POLICIES: readonly (readonly [
  name: string,
  policy: MemoryPolicy,
  since: string,
  mode: number,
])[] = [
  [
    'numa-balancing',
    bind('0-1', { flags: ['numa-balancing'] }),
    MODES_SINCE.MPOL_F_NUMA_BALANCING,
    0x2002,
  ],
  ['preferred-many', preferredMany('0-1'), MANY, 5],
  ['static preferred-many', preferredMany('0-1', { flags: ['static-nodes'] }), MANY, 0x8005],
  ['home node', bind('0-1', { homeNode: 1 }), HOME_NODE, 2],
  ['weighted-interleave', weightedInterleave('0-1'), MODES_SINCE.MPOL_WEIGHTED_INTERLEAVE, 6],
  [
    'balanced preferred-many',
    preferredMany('0-1', { flags: ['numa-balancing'] }),
    BALANCED_MANY,
    0x2005,
  ],
];

/** Each gives a range or this thread a policy. */
const VERBS: Readonly<Record<string, (numa: Numa, policy: MemoryPolicy) => void>> = {
  'allocate()': (numa, policy) => numa.allocate(4096, { policy }).release(),
  'setPolicy()': (numa, policy) => numa.allocate(4096).setPolicy(policy),
  "setPolicy({ move: 'own', strict })": (numa, policy) =>
    numa.allocate(4096).setPolicy(policy, { move: 'own', strict: true }),
  "setPolicy({ move: 'all' })": (numa, policy) =>
    numa.allocate(4096).setPolicy(policy, { move: 'all' }),
  'thread.setPolicy()': (numa, policy) => numa.thread.setPolicy(policy),
  'thread.withPolicy()': (numa, policy) => numa.thread.withPolicy(policy, () => {}),
  'node-numa run': (numa, policy) =>
    applyPlacement(numa.thread, { policy, cpus: undefined }, 'cpus'),
};

const THREAD_VERBS = ['thread.setPolicy()', 'thread.withPolicy()', 'node-numa run'];

/** The oldest simulated kernel, which knows no more than one that is older still. */
function olderKernel(release: string): Backend {
  const { backend } = new Machine(undefined, { kernel: oldestKernelLine }).self;
  const lacks = (mode: number): boolean =>
    POLICIES.some(
      ([name, , since, known]) =>
        name !== 'home node' &&
        compareReleases(release, since) < 0 &&
        (mode & 0x20ff) === (known & 0x20ff),
    );
  const refuse = (syscall: string, errno: number) => ({ ok: false, errno, syscall }) as const;
  const own: Partial<Backend> = {
    identity: { ...backend.identity, kernel: `${release}.0-older` },
    mbind: (request) => (lacks(request.mode) ? refuse('mbind', 22) : backend.mbind(request)),
    setMempolicy: (request) =>
      lacks(request.mode) ? refuse('set_mempolicy', 22) : backend.setMempolicy(request),
    ...refusing(
      ERRNO.ENOSYS,
      numaCalls.filter((call) => compareReleases(release, NUMA_CALLS[call].since ?? '0.0') < 0),
    ),
  };
  return new Proxy(backend, {
    get(target, name: keyof Backend) {
      const value: unknown = own[name] ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const KERNELS: readonly (readonly [release: string, open: () => Numa])[] = [
  ...['4.19', '5.10', '5.15'].map(
    (release) => [release, () => openNuma({ backend: olderKernel(release) })] as const,
  ),
  ...kernelLines.map(
    (kernel) => [kernel, () => openNuma({ machine: new Machine(undefined, { kernel }) })] as const,
  ),
];

describe.each(KERNELS)('Linux %s', (release, open) => {
  test.each(POLICIES)('%s: each verb has it, or names the release', async (name, policy, since) => {
    const verbs = name === 'home node' ? without(THREAD_VERBS) : Object.keys(VERBS);
    for (const verb of verbs) {
      const numa = open();
      const run = VERBS[verb] as (numa: Numa, policy: MemoryPolicy) => void;
      if (compareReleases(release, since) >= 0) {
        run(numa, policy);
        continue;
      }
      const { code, error } = await failureOf(() => run(numa, policy));
      expect([verb, code]).toEqual([verb, 'NUMA_UNSUPPORTED']);
      const { message, hint } = error as unknown as NumaError;
      expect(message).toContain(`Linux has it since ${since}, this is ${release}.0`);
      expect(hint).toContain(`Linux ${since} or newer has it`);
      expect(message).not.toContain('allowed node');
    }
  });

  test('a flag that no kernel takes with a mode is a wrong value', async () => {
    const policy = interleave('0-1', { flags: ['numa-balancing'] });
    const isOlder = compareReleases(release, MODES_SINCE.MPOL_F_NUMA_BALANCING) < 0;
    const { code, error } = await failureOf(() => open().thread.setPolicy(policy));
    expect(code).toBe('NUMA_INVALID_ARGUMENT');
    if (!isOlder) expect(error.message).toContain('with bind and preferred-many only');
  });
});

function without(names: readonly string[]): string[] {
  return Object.keys(VERBS).filter((verb) => !names.includes(verb));
}
