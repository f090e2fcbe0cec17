/**
 * Which error wins when a call breaks several rules at once: the order of the kernel's checks.
 *
 * Source: mm/mempolicy.c, do_mbind(), kernel_migrate_pages(); mm/migrate.c, kernel_move_pages().
 */

import { describe, expect } from 'vitest';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import type { MaskArgument } from '../../lib/machine/numa.ts';
import { FREE_ADDRESS, mapPages, maskOf, move } from './pages.ts';
import { type DeclareTest, NOBODY, type OpenSubject, testsOf } from './scene.ts';
import type { WorldProcess } from './world.ts';

type MbindArguments = Parameters<WorldProcess['numa']['mbind']>[0];

const BAD_FLAG = 8;
const BAD_MODE = 99;
/** Page aligned, with nothing mapped there: only the last check, of the range, minds. */
const UNMAPPED = FREE_ADDRESS;
const UNREADABLE = { pointer: 8n, maxnode: 65 } as const;

function declareMbind(declare: DeclareTest): void {
  const traits = ['addresses', 'pointers'] as const;

  declare(
    'mbind: the mode, the mask, the flags, the address, the nodes, then the range',
    {
      traits,
    },
    async ({ process, machine, node }) => {
      const all: MbindArguments = {
        address: UNMAPPED + 1n,
        lengthBytes: machine.pageSizeBytes,
        mode: 7,
        nodemask: UNREADABLE,
        flags: BAD_FLAG,
      };
      const steps: [string, MbindArguments][] = [
        ['EINVAL', all],
        ['EFAULT', { ...all, mode: MPOL.BIND }],
        ['EINVAL', { ...all, mode: MPOL.BIND, nodemask: maskOf(node) }],
        ['EINVAL', { ...all, mode: MPOL.BIND, nodemask: maskOf(node), flags: 0 }],
        ['EINVAL', { ...all, mode: MPOL.BIND, nodemask: null, flags: 0, address: UNMAPPED }],
        [
          'EFAULT',
          { ...all, mode: MPOL.BIND, nodemask: maskOf(node), flags: 0, address: UNMAPPED },
        ],
      ];
      for (const [index, [errno, request]] of steps.entries()) {
        expect(await process.numa.mbind(request), `step ${index}`).toFailWith('mbind', errno);
      }
    },
  );

  declare(
    'mbind: the nodes are judged before the range',
    { traits },
    async ({ process, machine }) => {
      const request = { address: UNMAPPED, lengthBytes: machine.pageSizeBytes, flags: 0 };
      const unusable = { ...request, mode: MPOL.BIND, nodemask: maskOf(machine.nodesMax - 1) };
      expect(await process.numa.mbind(unusable)).toFailWith('mbind', 'EINVAL');
      const superfluous = { ...request, mode: MPOL.LOCAL, nodemask: maskOf(0) };
      expect(await process.numa.mbind(superfluous)).toFailWith('mbind', 'EINVAL');
    },
  );

  declare(
    'mbind: flags above 32 bits are not looked at',
    { traits },
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      expect(await pages.mbind(MPOL.BIND, maskOf(node), 2 ** 32)).toSucceed();
      expect(await pages.mbind(MPOL.BIND, maskOf(node), 2 ** 32 + BAD_FLAG)).toFailWith(
        'mbind',
        'EINVAL',
      );
    },
  );

  declare(
    'mbind: MOVE_ALL without privilege fails before the address and the length',
    {
      traits: [...traits, 'setuid'],
    },
    async ({ process, node }) => {
      await process.setuid(NOBODY);
      const flags = MPOL_MF.MOVE_ALL;
      const request = { mode: MPOL.BIND, nodemask: maskOf(node), lengthBytes: 0, flags };
      const address = UNMAPPED;
      expect(await process.numa.mbind({ ...request, address })).toFailWith('mbind', 'EPERM');
      expect(await process.numa.mbind({ ...request, address: address + 1n })).toFailWith(
        'mbind',
        'EPERM',
      );
      const alsoBad = { ...request, address, flags: flags | BAD_FLAG };
      expect(await process.numa.mbind(alsoBad)).toFailWith('mbind', 'EINVAL');
      const unreadable = { ...request, address, nodemask: UNREADABLE };
      expect(await process.numa.mbind(unreadable)).toFailWith('mbind', 'EFAULT');
      const allowed = { ...request, address, flags: MPOL_MF.MOVE };
      expect(await process.numa.mbind(allowed)).toSucceed();
    },
  );
}

function declareSetMempolicy(declare: DeclareTest): void {
  declare(
    'set_mempolicy: the mode, the mask, then the nodes',
    { traits: ['pointers'] },
    async ({ process, machine, node }) => {
      const call = 'set_mempolicy';
      const set = (
        mode: number,
        nodemask: MaskArgument,
      ): ReturnType<typeof process.numa.setMempolicy> =>
        process.numa.setMempolicy({ mode, nodemask });
      expect(await set(BAD_MODE, UNREADABLE)).toFailWith(call, 'EINVAL');
      // DEFAULT takes no mask, and yet faults on one that cannot be read.
      for (const mode of [MPOL.DEFAULT, MPOL.LOCAL, MPOL.BIND]) {
        expect(await set(mode, UNREADABLE), `mode ${mode}`).toFailWith(call, 'EFAULT');
      }
      expect(await set(MPOL.DEFAULT, maskOf(node))).toFailWith(call, 'EINVAL');
      expect(await set(MPOL.BIND, maskOf(machine.nodesMax - 1))).toFailWith(call, 'EINVAL');
    },
  );
}

function declareMovePages(declare: DeclareTest): void {
  const call = 'move_pages';

  declare(
    'move_pages knows MOVE and MOVE_ALL, not STRICT',
    {},
    async ({ process, machine, node }) => {
      const pages = await mapPages(process, machine, 1);
      for (const flags of [MPOL_MF.STRICT, MPOL_MF.MOVE | MPOL_MF.STRICT, BAD_FLAG]) {
        const { result } = await move(process, pages, node, flags);
        expect(result, `flags ${flags}`).toFailWith(call, 'EINVAL');
      }
    },
  );

  declare(
    'move_pages: the flags, the privilege, then the process',
    {
      traits: ['setuid'],
    },
    async ({ process, world }) => {
      const gone = await world.spawn();
      await gone.exit();
      const other = await world.spawn();
      const none = { pages: new BigUint64Array(), nodes: null, status: new Int32Array() };
      const ask = (pid: number, flags: number) => process.numa.movePages({ ...none, pid, flags });
      expect(await ask(gone.pid, MPOL_MF.MOVE)).toFailWith(call, 'ESRCH');
      expect(await ask(other.pid, MPOL_MF.MOVE_ALL)).toSucceed(0);
      await process.setuid(NOBODY);
      expect(await ask(gone.pid, BAD_FLAG | MPOL_MF.MOVE_ALL)).toFailWith(call, 'EINVAL');
      // Also for a mere question.
      expect(await ask(gone.pid, MPOL_MF.MOVE_ALL)).toFailWith(call, 'EPERM');
      expect(await ask(gone.pid, MPOL_MF.MOVE)).toFailWith(call, 'ESRCH');
      expect(await ask(other.pid, MPOL_MF.MOVE)).toFailWith(call, 'EPERM');
      expect(await ask(0, MPOL_MF.MOVE)).toSucceed(0);
      await other.exit();
    },
  );

  declare(
    'move_pages without pages succeeds whatever its pointers are',
    {
      traits: ['pointers'],
    },
    async ({ process }) => {
      const request = { count: 0, pages: 8n, nodes: null, status: 8n };
      expect(await process.numa.movePages(request)).toSucceed(0);
      expect(await process.numa.movePages({ ...request, count: 1 })).toFailWith(call, 'EFAULT');
    },
  );
}

function declareMigratePages(declare: DeclareTest): void {
  const call = 'migrate_pages';

  declare(
    'migrate_pages: the masks, the process, then the nodes',
    {
      traits: ['pointers', 'setuid'],
    },
    async ({ process, world, machine, node }) => {
      const gone = await world.spawn();
      await gone.exit();
      const from = maskOf(node);
      const nowhere = maskOf(machine.nodesMax - 1);
      const pid = gone.pid;
      expect(await process.numa.migratePages({ pid, from: UNREADABLE, to: nowhere })).toFailWith(
        call,
        'EFAULT',
      );
      expect(await process.numa.migratePages({ pid, from, to: nowhere })).toFailWith(call, 'ESRCH');
      expect(await process.numa.migratePages({ pid: -1, from, to: from })).toFailWith(
        call,
        'ESRCH',
      );
      expect(await process.numa.migratePages({ pid: 0, from, to: nowhere })).toFailWith(
        call,
        'EINVAL',
      );
      expect(await process.numa.migratePages({ pid: 0, from, to: null })).toFailWith(
        call,
        'EINVAL',
      );
    },
  );

  declare(
    "migrate_pages: another user's process is closed before its nodes are judged",
    {
      traits: ['setuid'],
    },
    async ({ process, world, node }) => {
      const other = await world.spawn();
      const from = maskOf(node);
      expect(await process.numa.migratePages({ pid: other.pid, from, to: from })).toSucceed();
      await process.setuid(NOBODY);
      const request = { pid: other.pid, from, to: null };
      expect(await process.numa.migratePages(request)).toFailWith(call, 'EPERM');
      expect(await process.numa.migratePages({ ...request, pid: 0 })).toFailWith(call, 'EINVAL');
      await other.exit();
    },
  );

  declare(
    'migrate_pages: naming a node that the process may not use takes privilege',
    {
      traits: ['setuid'],
    },
    async ({ process, machine, node }) => {
      const absent = machine.nodesMax - 1;
      const request = { pid: 0, from: maskOf(node) };
      const mixed = { ...request, to: maskOf(node, absent) };
      expect(await process.numa.migratePages(mixed)).toSucceed();
      await process.setuid(NOBODY);
      // Also nodes that the machine does not have, which other calls drop.
      expect(await process.numa.migratePages(mixed)).toFailWith(call, 'EPERM');
      const nowhere = { ...request, to: maskOf(absent) };
      expect(await process.numa.migratePages(nowhere)).toFailWith(call, 'EPERM');
    },
  );

  declare(
    'a process that changed its user is closed to its equals',
    {
      traits: ['setuid', 'sharing'],
    },
    async ({ process, node }) => {
      await process.setuid(NOBODY);
      const child = await process.fork();
      const request = { pid: child.pid, from: maskOf(node), to: maskOf(node) };
      expect(await process.numa.migratePages(request)).toFailWith(call, 'EPERM');
    },
  );
}

export function checkOrderContract(subject: OpenSubject): void {
  describe('order of checks', () => {
    const declare = testsOf(subject);
    declareSetMempolicy(declare);
    declareMbind(declare);
    declareMovePages(declare);
    declareMigratePages(declare);
  });
}
