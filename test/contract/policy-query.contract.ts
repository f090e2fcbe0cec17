/**
 * Asking for policies: the order of get_mempolicy's checks, and what it stores.
 *
 * Source: get_mempolicy(2); mm/mempolicy.c, kernel_get_mempolicy() and do_get_mempolicy().
 */

import { describe, expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL, MPOL_F } from '../../lib/core/uapi.ts';
import { memoryNodes } from '../support/needs.ts';
import { getMempolicy, mapPages, maskOf, maxnodeOf, placeOn, rangePolicy, where } from './pages.ts';
import { type DeclareTest, type OpenSubject, testsOf } from './scene.ts';

const FAILS = ['get_mempolicy', 'EINVAL'] as const;
const FAULTS = ['get_mempolicy', 'EFAULT'] as const;
/** NULL is never mapped. */
const NOWHERE = 8n;

function declareChecks(declare: DeclareTest): void {
  declare('flags that do not exist are refused', {}, async ({ process, machine }) => {
    for (const flags of [8, 16, MPOL_F.ADDR | 8, -1]) {
      const result = await getMempolicy(process, { flags, maxnode: maxnodeOf(machine) });
      expect(result, `flags ${flags}`).toFailWith(...FAILS);
    }
  });

  declare(
    'a mask must have room for every possible node',
    { traits: ['pointers'] },
    async ({ process, machine }) => {
      const { possibleNodeCount } = machine;
      const ask = async (maxnode: number, flags = 0) =>
        (await process.numa.getMempolicy({ flags, maxnode })).result;
      // Here maxnode itself is compared, where masks going in lose one bit.
      expect(await ask(possibleNodeCount - 1)).toFailWith(...FAILS);
      expect(await ask(possibleNodeCount)).toSucceed();
      const withoutMask = { flags: 0, maxnode: possibleNodeCount - 1, mask: 0n };
      expect((await process.numa.getMempolicy(withoutMask)).result).toSucceed();
    },
  );

  declare('an address is for MPOL_F_ADDR only', {}, async ({ process, machine }) => {
    const pages = await mapPages(process, machine, 1);
    const { address } = pages;
    const maxnode = maxnodeOf(machine);
    expect(await getMempolicy(process, { flags: 0, address, maxnode })).toFailWith(...FAILS);
    const ofNode = { flags: MPOL_F.NODE, address, maxnode };
    expect(await getMempolicy(process, ofNode)).toFailWith(...FAILS);
    const allowed = { flags: MPOL_F.MEMS_ALLOWED, address, maxnode };
    expect(await getMempolicy(process, allowed)).toSucceed();
  });

  declare('an address without a mapping faults', {}, async ({ process, machine }) => {
    const maxnode = maxnodeOf(machine);
    for (const flags of [MPOL_F.ADDR, MPOL_F.ADDR | MPOL_F.NODE]) {
      expect(await getMempolicy(process, { flags, address: NOWHERE, maxnode })).toFailWith(
        ...FAULTS,
      );
    }
  });
}

function declareAllowed(declare: DeclareTest): void {
  declare(
    'MPOL_F_MEMS_ALLOWED gives the nodes with memory that the thread may use',
    {},
    async ({ process, machine, node }) => {
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
      const request = { flags: MPOL_F.MEMS_ALLOWED, maxnode: maxnodeOf(machine) };
      const result = await getMempolicy(process, request);
      expect(result).toSucceed();
      if (!result.ok) return;
      const words = maskOf(...machine.memoryNodes) as { words: BigUint64Array };
      expect(result.value.mode).toBe(0);
      expect(result.value.nodemask[0]).toBe(words.words[0]);
    },
  );

  declare('MPOL_F_MEMS_ALLOWED goes with no other flag', {}, async ({ process, machine }) => {
    const { address } = await mapPages(process, machine, 1);
    for (const flag of [MPOL_F.NODE, MPOL_F.ADDR]) {
      const flags = MPOL_F.MEMS_ALLOWED | flag;
      const result = await getMempolicy(process, { flags, address, maxnode: maxnodeOf(machine) });
      expect(result).toFailWith(...FAILS);
    }
  });
}

function declareAddresses(declare: DeclareTest): void {
  declare(
    "a range without a policy of its own does not show the thread's",
    {},
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 2);
      await process.numa.setMempolicy({ mode: MPOL.INTERLEAVE, nodemask: maskOf(node) });
      expect(await rangePolicy(pages, machine)).toEqual({ mode: MPOL.DEFAULT, nodes: [] });
      await pages.part(1, 2).mbind(MPOL.BIND, maskOf(node));
      expect(await rangePolicy(pages, machine)).toEqual({ mode: MPOL.DEFAULT, nodes: [] });
      const second = await rangePolicy(pages.part(1, 2), machine);
      expect(second).toEqual({ mode: MPOL.BIND, nodes: [node] });
    },
  );

  declare(
    'the node of a present page is told',
    { needs: [memoryNodes(2)] },
    async ({ process, machine }) => {
      const nodes = machine.memoryNodes;
      const pages = await mapPages(process, machine, nodes.length);
      await placeOn(pages, nodes);
      for (const [index, node] of nodes.entries()) {
        const flags = MPOL_F.NODE | MPOL_F.ADDR;
        const request = { flags, address: pages.at(index) + 100n, maxnode: maxnodeOf(machine) };
        const result = await getMempolicy(process, request);
        expect(result.ok && result.value.mode).toBe(node);
      }
    },
  );

  declare(
    'asking for the node of an untouched page makes it the zero page',
    {},
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      await pages.mbind(MPOL.BIND, maskOf(node));
      const flags = MPOL_F.NODE | MPOL_F.ADDR;
      const request = { flags, address: pages.address, maxnode: maxnodeOf(machine) };
      const result = await getMempolicy(process, request);
      // The node is that of the kernel's one page of zeros; the mask is the range's.
      expect(result.ok && result.value.nodemask[0]).toBe(1n << BigInt(node));
      expect(await where(pages)).toResideOn([-ERRNO.EFAULT]);
    },
  );

  declare(
    'the node of a page that cannot be read is not told',
    { traits: ['addresses'] },
    async ({ process, machine }) => {
      const pages = await mapPages(process, machine, 1);
      await pages.touch();
      await process.memory.mprotect({ address: pages.address, pageCount: 1 }, 'none');
      const request = { address: pages.address, maxnode: maxnodeOf(machine) };
      const flags = MPOL_F.NODE | MPOL_F.ADDR;
      expect(await getMempolicy(process, { ...request, flags })).toFailWith(...FAULTS);
      expect(await getMempolicy(process, { ...request, flags: MPOL_F.ADDR })).toSucceed();
    },
  );
}

function declareNextNode(declare: DeclareTest): void {
  declare(
    'the next node is told for interleaving threads only',
    { tags: ['nodes'] },
    async ({ process, machine, node, facts }) => {
      const request = { flags: MPOL_F.NODE, maxnode: maxnodeOf(machine) };
      expect(await getMempolicy(process, request)).toFailWith(...FAILS);
      for (const mode of [MPOL.BIND, MPOL.PREFERRED, MPOL.PREFERRED_MANY]) {
        await process.numa.setMempolicy({ mode, nodemask: maskOf(node) });
        expect(await getMempolicy(process, request), `mode ${mode}`).toFailWith(...FAILS);
      }
      await process.numa.setMempolicy({ mode: MPOL.LOCAL, nodemask: null });
      expect(await getMempolicy(process, request)).toFailWith(...FAILS);
      const modes: number[] = [MPOL.INTERLEAVE];
      if (facts.hasWeightedInterleave) modes.push(MPOL.WEIGHTED_INTERLEAVE);
      for (const mode of modes) {
        await process.numa.setMempolicy({ mode, nodemask: maskOf(...machine.memoryNodes) });
        const result = await getMempolicy(process, request);
        expect(result.ok && machine.memoryNodes.includes(result.value.mode)).toBe(true);
      }
    },
  );
}

function declareOutput(declare: DeclareTest): void {
  const traits = ['pointers'] as const;

  declare(
    'whole words are written, zeros beyond the possible nodes',
    { traits },
    async ({ process, machine, node }) => {
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
      const wordsMax = machine.pageSizeBytes / 8;
      const cases = [
        [machine.possibleNodeCount + 1, 1],
        [65, 1],
        [66, 2],
        [129, 2],
        [wordsMax * 64 + 1, wordsMax],
      ] as const;
      for (const [maxnode, wordCount] of cases) {
        const { result, words } = await process.numa.getMempolicy({ flags: 0, maxnode });
        expect(result).toSucceed();
        const expected = new Array<bigint>(wordCount).fill(0n).with(0, 1n << BigInt(node));
        expect(words, `maxnode ${maxnode}`).toEqual(expected);
      }
    },
  );

  declare(
    'the mode is stored before the mask is refused',
    { traits },
    async ({ process, machine, node }) => {
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
      const tooMany = machine.pageSizeBytes * 8 + 2;
      const refused = await process.numa.getMempolicy({ flags: 0, maxnode: tooMany });
      expect(refused.result).toFailWith(...FAILS);
      expect([refused.mode, refused.words]).toEqual([MPOL.BIND, []]);
      const unwritable = { flags: 0, maxnode: 65, mask: NOWHERE };
      const faulted = await process.numa.getMempolicy(unwritable);
      expect(faulted.result).toFailWith(...FAULTS);
      expect(faulted.mode).toBe(MPOL.BIND);
    },
  );

  declare(
    'a mode pointer that cannot be written stops before the mask',
    { traits },
    async ({ process, machine }) => {
      const request = { flags: 0, maxnode: maxnodeOf(machine), mode: NOWHERE };
      const { result, words } = await process.numa.getMempolicy(request);
      expect(result).toFailWith(...FAULTS);
      expect(words).toEqual([]);
    },
  );

  declare('either pointer may be NULL', { traits }, async ({ process, machine, node }) => {
    await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
    const maxnode = maxnodeOf(machine);
    const withoutMode = await process.numa.getMempolicy({ flags: 0, maxnode, mode: 0n });
    expect(withoutMode.result).toSucceed();
    expect(withoutMode.words[0]).toBe(1n << BigInt(node));
    const withoutMask = await process.numa.getMempolicy({ flags: 0, maxnode, mask: 0n });
    expect(withoutMask.result).toSucceed();
    expect(withoutMask.mode).toBe(MPOL.BIND);
  });

  declare('a maxnode near 2^64 wraps to no words at all', { traits }, async ({ process }) => {
    const { result, words } = await process.numa.getMempolicy({
      flags: 0,
      maxnode: 2n ** 64n - 62n,
    });
    expect(result).toSucceed();
    expect(words).toEqual([]);
  });
}

export function policyQueryContract(subject: OpenSubject): void {
  describe('policy query', { tags: ['node-numbers'] }, () => {
    const declare = testsOf(subject);
    declareChecks(declare);
    declareAllowed(declare);
    declareAddresses(declare);
    declareNextNode(declare);
    declareOutput(declare);
  });
}
