/**
 * The calling thread's policy: which modes take which masks, and what is reported afterwards.
 *
 * Source: set_mempolicy(2); mm/mempolicy.c, mpol_new() and mpol_set_nodemask().
 */

import { describe, expect } from 'vitest';
import type { KernelFacts } from '../../lib/core/kernel-facts.ts';
import { MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { memoryNodes } from '../support/needs.ts';
import { mapPages, maskOf, placeOn, threadPolicy, where } from './pages.ts';
import { type DeclareTest, type OpenSubject, type Scene, testsOf } from './scene.ts';

const { STATIC_NODES, RELATIVE_NODES, NUMA_BALANCING } = MPOL_MODE_FLAG;
const NODE_MODES = [MPOL.BIND, MPOL.INTERLEAVE, MPOL.PREFERRED_MANY] as const;

/** Whether a mode takes: an empty mask, the same with a node flag, nodes, the same with a flag. */
type MaskRule = readonly [boolean, boolean, boolean, boolean];

const MASK_RULES: readonly (readonly [name: keyof typeof MPOL, rule: MaskRule])[] = [
  ['DEFAULT', [true, true, false, false]],
  ['LOCAL', [true, false, false, false]],
  ['PREFERRED', [true, false, true, true]],
  ['BIND', [false, false, true, true]],
  ['INTERLEAVE', [false, false, true, true]],
  ['PREFERRED_MANY', [false, false, true, true]],
  ['WEIGHTED_INTERLEAVE', [false, false, true, true]],
];

const CALLS = {
  set_mempolicy: ({ process }: Scene, mode: number, nodes: readonly number[]) =>
    process.numa.setMempolicy({ mode, nodemask: maskOf(...nodes) }),
  mbind: async ({ process, machine }: Scene, mode: number, nodes: readonly number[]) =>
    (await mapPages(process, machine, 1)).mbind(mode, maskOf(...nodes)),
} as const;

function isKnown(mode: number, facts: KernelFacts): boolean {
  return mode !== MPOL.WEIGHTED_INTERLEAVE || facts.hasWeightedInterleave;
}

function declareModeRules(declare: DeclareTest, syscall: keyof typeof CALLS): void {
  const call = CALLS[syscall];

  for (const [name, rule] of MASK_RULES) {
    declare(`${syscall} takes masks with ${name} as that mode needs them`, {}, async (scene) => {
      const mode = MPOL[name];
      const cases = [
        [mode, []],
        [mode | STATIC_NODES, []],
        [mode | RELATIVE_NODES, []],
        [mode, [scene.node]],
        [mode | STATIC_NODES, [scene.node]],
        [mode | RELATIVE_NODES, [0]],
      ] as const;
      const takes = [rule[0], rule[1], rule[1], rule[2], rule[3], rule[3]];
      for (const [index, [word, nodes]] of cases.entries()) {
        const result = await call(scene, word, nodes);
        const label = `mode ${word.toString(16)} nodes {${nodes}}`;
        if (takes[index] && isKnown(mode, scene.facts)) expect(result, label).toSucceed();
        else expect(result, label).toFailWith(syscall, 'EINVAL');
      }
    });
  }

  declare(`${syscall} refuses modes and flags that do not exist`, {}, async (scene) => {
    const words = [7, 8, -1, 0x1000, MPOL.BIND | 0x1000, MPOL.BIND | STATIC_NODES | RELATIVE_NODES];
    for (const word of words) {
      expect(await call(scene, word, [scene.node]), `mode ${word}`).toFailWith(syscall, 'EINVAL');
    }
  });

  declare(`${syscall} takes NUMA balancing with the modes that allow it`, {}, async (scene) => {
    const { BIND, PREFERRED_MANY, DEFAULT, PREFERRED, INTERLEAVE, LOCAL } = MPOL;
    const taking = [BIND, BIND | STATIC_NODES, BIND | RELATIVE_NODES];
    const refusing = [PREFERRED, INTERLEAVE];
    (scene.facts.preferredManyTakesBalancing ? taking : refusing).push(PREFERRED_MANY);
    for (const mode of taking) {
      expect(await call(scene, mode | NUMA_BALANCING, [scene.node])).toSucceed();
    }
    for (const mode of refusing) {
      const result = await call(scene, mode | NUMA_BALANCING, [scene.node]);
      expect(result, `mode ${mode}`).toFailWith(syscall, 'EINVAL');
    }
    for (const mode of [DEFAULT, LOCAL]) {
      expect(await call(scene, mode | NUMA_BALANCING, [])).toFailWith(syscall, 'EINVAL');
    }
  });
}

function declareReports(declare: DeclareTest): void {
  declare('a fresh thread has no policy', {}, async ({ process, machine }) => {
    expect(await threadPolicy(process, machine)).toEqual({ mode: MPOL.DEFAULT, nodes: [] });
  });

  declare(
    'a policy replaces the one before, and DEFAULT removes it',
    {},
    async ({ process, machine, node }) => {
      for (const mode of NODE_MODES) {
        expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(node) })).toSucceed();
        expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [node] });
      }
      expect(await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toSucceed();
      expect(await threadPolicy(process, machine)).toEqual({ mode: MPOL.DEFAULT, nodes: [] });
    },
  );

  declare('a refused policy leaves the one before', {}, async ({ process, machine, node }) => {
    await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
    const refused = { mode: MPOL.INTERLEAVE, nodemask: maskOf(machine.nodesMax - 1) };
    expect(await process.numa.setMempolicy(refused)).toFailWith('set_mempolicy', 'EINVAL');
    expect(await threadPolicy(process, machine)).toEqual({ mode: MPOL.BIND, nodes: [node] });
  });

  declare('PREFERRED without nodes is LOCAL, and so reported', {}, async ({ process, machine }) => {
    expect(await process.numa.setMempolicy({ mode: MPOL.PREFERRED, nodemask: null })).toSucceed();
    expect(await threadPolicy(process, machine)).toEqual({ mode: MPOL.LOCAL, nodes: [] });
  });

  declare(
    'PREFERRED keeps the lowest of several nodes',
    { needs: [memoryNodes(2)] },
    async ({ process, machine }) => {
      const nodes = machine.memoryNodes.slice(-2);
      const mode = MPOL.PREFERRED;
      expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(...nodes) })).toSucceed();
      expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: nodes.slice(0, 1) });
    },
  );

  declare(
    'PREFERRED with static nodes reports all that it was given',
    {},
    async ({ process, machine, node }) => {
      const mode = MPOL.PREFERRED | STATIC_NODES;
      const nodes = [node, node + 1];
      expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(...nodes) })).toSucceed();
      expect(await threadPolicy(process, machine)).toEqual({ mode, nodes });
    },
  );

  declare(
    'a policy that only balances reports its nodes as this kernel has it',
    {},
    async ({ process, machine, node, facts }) => {
      const absent = machine.possibleNodeCount;
      const mode = MPOL.BIND | NUMA_BALANCING;
      expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(node, absent) })).toSucceed();
      const nodes = facts.balancingKeepsUserMask ? [node, absent] : [node];
      expect(await threadPolicy(process, machine)).toEqual({ mode, nodes });
    },
  );

  declare(
    'relative nodes count through the allowed nodes and wrap around',
    {},
    async ({ process, machine }) => {
      const { memoryNodes: allowed } = machine;
      const mode = MPOL.BIND | RELATIVE_NODES;
      const pages = await mapPages(process, machine, allowed.length * 2);
      for (let ordinal = 0; ordinal < pages.count; ordinal += 1) {
        expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(ordinal) })).toSucceed();
        expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [ordinal] });
        await pages.part(ordinal, ordinal + 1).touch();
      }
      expect(await where(pages)).toResideOn([...allowed, ...allowed]);
    },
  );
}

function declareScope(declare: DeclareTest): void {
  declare(
    'no page moves when the policy changes',
    { needs: [memoryNodes(2)] },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const pages = await mapPages(process, machine, 2);
      await placeOn(pages, [first, first]);
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(second) });
      expect(await where(await pages.touch())).toResideOn([first, first]);
    },
  );

  declare(
    'a child starts with a copy of the policy',
    { traits: ['sharing'] },
    async ({ process, machine, node }) => {
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
      const child = await process.fork();
      await process.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
      expect(await threadPolicy(child, machine)).toEqual({ mode: MPOL.BIND, nodes: [node] });
    },
  );

  declare('no privilege is needed', { traits: ['setuid'] }, async ({ process, node }) => {
    expect(await process.setuid(65534)).toSucceed();
    expect(
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) }),
    ).toSucceed();
  });
}

export function threadPolicyContract(subject: OpenSubject): void {
  describe('thread policy', { tags: ['node-numbers'] }, () => {
    const declare = testsOf(subject);
    declareModeRules(declare, 'set_mempolicy');
    declareModeRules(declare, 'mbind');
    declareReports(declare);
    declareScope(declare);
  });
}
