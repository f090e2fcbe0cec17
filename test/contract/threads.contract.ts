/**
 * Whose a thread's policy is: threads beside each other, and programs executed.
 *
 * Source: set_mempolicy(2); kernel/fork.c, copy_process(), which copies the policy;
 * fs/exec.c, which leaves it.
 */

import { expect } from 'vitest';
import { MPOL, MPOL_MODE_FLAG } from '../../lib/core/uapi.ts';
import { memoryNodes } from '../support/needs.ts';
import { familyFor } from './objects.ts';
import { mapPages, maskOf, threadPolicy, where } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject } from './scene.ts';

const THREADS: Conditions = { traits: ['threads'] };

function declareThreads(declare: DeclareTest): void {
  declare('threads that exist keep their policy', THREADS, async ({ process, machine, node }) => {
    const other = await process.thread();
    await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(node) });
    expect(await threadPolicy(other, machine)).toEqual({ mode: MPOL.DEFAULT, nodes: [] });
    await other.numa.setMempolicy({ mode: MPOL.INTERLEAVE, nodemask: maskOf(node) });
    expect(await threadPolicy(process, machine)).toEqual({ mode: MPOL.BIND, nodes: [node] });
  });

  declare(
    'a new thread starts with a copy of the policy of the thread that creates it',
    THREADS,
    async ({ process, machine, node }) => {
      const nodemask = maskOf(node);
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask });
      const child = await process.thread();
      expect(await threadPolicy(child, machine)).toEqual({ mode: MPOL.BIND, nodes: [node] });
      const mode = MPOL.PREFERRED | MPOL_MODE_FLAG.STATIC_NODES;
      await child.numa.setMempolicy({ mode, nodemask });
      const grandchild = await child.thread();
      expect(await threadPolicy(grandchild, machine)).toEqual({ mode, nodes: [node] });
      await child.numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
      expect(await threadPolicy(grandchild, machine)).toEqual({ mode, nodes: [node] });
      expect(await threadPolicy(process, machine)).toEqual({ mode: MPOL.BIND, nodes: [node] });
    },
  );

  declare(
    'each thread places what it touches, and a range is bound for all',
    { ...THREADS, needs: [memoryNodes(2)] },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const other = await process.thread();
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(first) });
      await other.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(second) });
      const pages = await mapPages(process, machine, 4);
      await pages.part(2, 4).mbind(MPOL.BIND, maskOf(first));
      for (const [index, thread] of [process, other, process, other].entries()) {
        expect(
          await thread.memory.touch({ address: pages.at(index), pageCount: 1 }, 'write'),
        ).toSucceed();
      }
      expect(await where(pages)).toResideOn([first, second, first, first]);
    },
  );
}

function declarePrograms(declare: DeclareTest): void {
  declare(
    'a program that is executed keeps the policy',
    THREADS,
    async ({ process, machine, node }) => {
      const mode = MPOL.BIND | MPOL_MODE_FLAG.STATIC_NODES;
      await process.numa.setMempolicy({ mode, nodemask: maskOf(node) });
      expect(await process.exec()).toSucceed();
      expect(await threadPolicy(process, machine)).toEqual({ mode, nodes: [node] });
    },
  );

  declare(
    'the policy that it keeps is that of the thread that executed it',
    { ...THREADS, needs: [memoryNodes(2)] },
    async ({ process, machine }) => {
      const [first, second] = machine.memoryNodes as [number, number];
      const other = await process.thread();
      await process.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(first) });
      await other.numa.setMempolicy({ mode: MPOL.BIND, nodemask: maskOf(second) });
      expect(await other.exec()).toSucceed();
      expect(await threadPolicy(process, machine)).toEqual({ mode: MPOL.BIND, nodes: [second] });
      const pages = await mapPages(process, machine, 1);
      expect(await where(await pages.touch())).toResideOn([second]);
    },
  );
}

export function threadsContract(subject: OpenSubject): void {
  familyFor(subject, 'threads and programs', ['threads'], (declare) => {
    declareThreads(declare);
    declarePrograms(declare);
  });
}
