/**
 * Asking for the node of a page is a read of the page: what a read may not do is refused, and what
 * it brings about happens.
 *
 * Source: get_mempolicy(2); mm/mempolicy.c, lookup_node().
 */

import { expect } from 'vitest';
import { MADV, MPOL, MPOL_F } from '../../lib/core/uapi.ts';
import { kernelWith } from '../support/needs.ts';
import { familyFor } from './objects.ts';
import { getMempolicy, mapPages, maskOf, maxnodeOf, where } from './pages.ts';
import type { OpenSubject } from './scene.ts';

const FAULTS = ['get_mempolicy', 'EFAULT'] as const;

export function nodeQueryContract(subject: OpenSubject): void {
  familyFor(subject, 'node query', ['addresses', 'sharing'], (declare) => {
    declare(
      'the node of a page that may only be written is told if the page is present',
      { traits: ['addresses'] },
      async ({ process, machine }) => {
        const pages = await mapPages(process, machine, 2);
        await pages.part(1, 2).touch();
        await process.memory.mprotect({ address: pages.address, pageCount: 2 }, 'write-only');
        const [, node] = await where(pages);
        const request = { flags: MPOL_F.NODE | MPOL_F.ADDR, maxnode: maxnodeOf(machine) };
        const absent = await getMempolicy(process, { ...request, address: pages.at(0) });
        expect(absent).toFailWith(...FAULTS);
        const present = await getMempolicy(process, { ...request, address: pages.at(1) });
        expect(present.ok && present.value.mode).toBe(node);
      },
    );

    declare(
      'the node of a page in a guard region is not told',
      { traits: ['addresses', 'areas'], needs: [kernelWith('hasGuardRegions')] },
      async ({ process, machine }) => {
        const pages = await mapPages(process, machine, 2);
        await pages.touch();
        expect(
          await process.areas.madvise({ address: pages.address, pageCount: 1 }, MADV.GUARD_INSTALL),
        ).toSucceed();
        const request = { address: pages.address, maxnode: maxnodeOf(machine) };
        const flags = MPOL_F.NODE | MPOL_F.ADDR;
        expect(await getMempolicy(process, { ...request, flags })).toFailWith(...FAULTS);
        expect(await getMempolicy(process, { ...request, flags: MPOL_F.ADDR })).toSucceed();
      },
    );

    declare(
      'asking for the node of an untouched shared page allocates it by policy',
      { traits: ['sharing'] },
      async ({ process, machine }) => {
        const { memoryNodes: nodes } = machine;
        const pages = await mapPages(process, machine, nodes.length, { isShared: true });
        for (const [index, node] of nodes.entries()) {
          await pages.part(index, index + 1).mbind(MPOL.BIND, maskOf(node));
          const flags = MPOL_F.NODE | MPOL_F.ADDR;
          const request = { flags, address: pages.at(index), maxnode: maxnodeOf(machine) };
          const result = await getMempolicy(process, request);
          expect(result.ok && result.value.mode).toBe(node);
        }
        // The page belongs to the object; this mapping has it with the first touch.
        expect(await where(await pages.touch('read'))).toResideOn(nodes);
      },
    );
  });
}
