/**
 * How a node mask is read: the kernel takes `maxnode - 1` bits, drops nodes that the machine
 * does not have, and looks at whole words beyond the largest node number that it knows.
 *
 * Source: mm/mempolicy.c, get_nodes(). set_mempolicy(2) speaks of maxnode bits; the kernel is
 * right.
 */

import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { nodesOfWords } from '../../lib/core/nodemask-words.ts';
import { MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import type { MaskArgument } from '../../lib/machine/numa.ts';
import { privileged } from '../support/needs.ts';
import { getMempolicy, mapPages, maskOf, maxnodeOf, threadPolicy } from './pages.ts';
import { type DeclareTest, type OpenSubject, type Scene, testsOf } from './scene.ts';

/** The most bits that fit a page of 4 kB, and then the kernel says no. */
const bitsMax = (scene: Scene): number => scene.machine.pageSizeBytes * 8;

/** A mask in words enough for any `maxnode`, with these bits. */
function wide(scene: Scene, maxnode: number, ...bits: number[]): MaskArgument {
  const words = new BigUint64Array(bitsMax(scene) / 64 + 1);
  for (const bit of bits) {
    const index = Math.floor(bit / 64);
    words[index] = (words[index] ?? 0n) | (1n << BigInt(bit % 64));
  }
  return { words, maxnode };
}

type Call = (scene: Scene, mask: MaskArgument) => Promise<unknown>;

/** The calls that read a mask, each so that its answer hangs on the mask alone. */
const CALLS: Record<string, Call> = {
  set_mempolicy: ({ process }, nodemask) =>
    process.numa.setMempolicy({ mode: MPOL.BIND, nodemask }),
  mbind: async ({ process, machine }, nodemask) => {
    const pages = await mapPages(process, machine, 1);
    return pages.mbind(MPOL.BIND, nodemask);
  },
  migrate_pages: ({ process }, to) => process.numa.migratePages({ pid: 0, from: null, to }),
};

function declareBitCount(declare: DeclareTest, name: string, call: Call): void {
  declare(`${name} needs maxnode to be two more than the highest node named`, {}, async (scene) => {
    const node = scene.machine.memoryNodes.at(-1) as number;
    for (const maxnode of [1, node + 1]) {
      expect(await call(scene, wide(scene, maxnode, node)), `maxnode ${maxnode}`).toFailWith(
        name,
        'EINVAL',
      );
    }
    for (const maxnode of [node + 2, node + 3, 64, 65, 66, 1025, bitsMax(scene) + 1]) {
      expect(await call(scene, wide(scene, maxnode, node)), `maxnode ${maxnode}`).toSucceed();
    }
  });

  declare(`${name} takes at most as many bits as a page holds`, {}, async (scene) => {
    const maxnode = bitsMax(scene) + 2;
    expect(await call(scene, wide(scene, maxnode, scene.node))).toFailWith(name, 'EINVAL');
  });

  declare(
    `${name} reads maxnode 0 as more bits than there can be`,
    {
      traits: ['pointers'],
    },
    async (scene) => {
      expect(await call(scene, wide(scene, 0, scene.node))).toFailWith(name, 'EINVAL');
    },
  );
}

function declareUnknownNodes(declare: DeclareTest, name: string, call: Call): void {
  // To migrate_pages they are nodes outside the process's own, which takes privilege to name.
  const needs = name === 'migrate_pages' ? [privileged] : [];
  declare(`${name} drops nodes that the machine does not have`, { needs }, async (scene) => {
    const { machine, node } = scene;
    const last = machine.nodesMax - 1;
    expect(await call(scene, wide(scene, last + 2, node, last))).toSucceed();
    expect(await call(scene, wide(scene, last + 2, last))).toFailWith(name, 'EINVAL');
  });

  declare(
    `${name} refuses a node number that no kernel of this build can have`,
    {},
    async (scene) => {
      const { machine, node } = scene;
      const first = machine.nodesMax;
      expect(await call(scene, wide(scene, first + 2, node, first))).toFailWith(name, 'EINVAL');
      // One bit less is read, and the offending one with it.
      expect(await call(scene, wide(scene, first + 1, node, first))).toSucceed();
      // Surplus words are looked at whole, also the bits past maxnode.
      expect(await call(scene, wide(scene, first + 2, node, first + 1))).toFailWith(name, 'EINVAL');
    },
  );
}

function declarePointers(declare: DeclareTest, name: string, call: Call): void {
  const traits = ['pointers', 'contents'] as const;

  declare(`${name} faults on a mask that cannot be read`, { traits }, async (scene) => {
    expect(await call(scene, { pointer: 8n, maxnode: 65 })).toFailWith(name, 'EFAULT');
    // No bits, no reading: the mask is empty.
    expect(await call(scene, { pointer: 8n, maxnode: 1 })).toFailWith(name, 'EINVAL');
    expect(await call(scene, { pointer: 0n, maxnode: 65 })).toFailWith(name, 'EINVAL');
  });

  declare(
    `${name} reads whole words, so a mask may end with its page`,
    { traits },
    async (scene) => {
      const { process, machine, node } = scene;
      const pages = await mapPages(process, machine, 2);
      expect(
        await process.memory.mprotect({ address: pages.at(1), pageCount: 1 }, 'none'),
      ).toSucceed();
      const pointer = pages.at(1) - 8n;
      expect(await process.memory.store(pointer, 1n << BigInt(node))).toSucceed();
      expect(await call(scene, { pointer, maxnode: 65 })).toSucceed();
      expect(await call(scene, { pointer, maxnode: 66 })).toFailWith(name, 'EFAULT');
    },
  );
}

function declareRoundTrip(declare: DeclareTest): void {
  declare(
    'a static policy reports every node it was given, as far as machines go',
    {},
    async ({ process, machine, node }) => {
      const shownBits = Math.ceil(machine.possibleNodeCount / 64) * 64;
      const bit = fc.oneof(
        fc.constantFrom(0, 31, 63, 64, 127),
        fc.nat({ max: machine.nodesMax - 1 }),
      );
      const mode = MPOL.BIND | MPOL_MODE_FLAG.STATIC_NODES;
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(bit, { maxLength: 8 }), async (bits) => {
          const nodes = [...new Set([node, ...bits])].sort((a, b) => a - b);
          expect(await process.numa.setMempolicy({ mode, nodemask: maskOf(...nodes) })).toSucceed();
          const shown = nodes.filter((one) => one < shownBits);
          expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: shown });
        }),
        { numRuns: 60 },
      );
    },
  );

  declare(
    'a plain policy reports the nodes that the machine has',
    {},
    async ({ process, machine }) => {
      const nodemask = maskOf(...machine.memoryNodes, machine.nodesMax - 1);
      expect(await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask })).toSucceed();
      const policy = await getMempolicy(process, { flags: 0, maxnode: maxnodeOf(machine) });
      expect(policy.ok && nodesOfWords(policy.value.nodemask)).toEqual(machine.memoryNodes);
    },
  );
}

export function maskDecodingContract(subject: OpenSubject): void {
  describe('mask decoding', { tags: ['node-numbers'] }, () => {
    const declare = testsOf(subject);
    for (const [name, call] of Object.entries(CALLS)) {
      declareBitCount(declare, name, call);
      declareUnknownNodes(declare, name, call);
      declarePointers(declare, name, call);
    }
    declareRoundTrip(declare);
  });
}
