/** node-numa/syscalls: the kernel's own answers, as values. */

import { describe, expect, test } from 'vitest';
import { type Backend, openNuma } from '../../lib/index.ts';
import {
  ERRNO,
  errnoName,
  MPOL,
  MPOL_F,
  MPOL_MF,
  NodeMask,
  type Nodemask,
  nodemaskWords,
  nodesOfWords,
  openSyscalls,
} from '../../lib/syscalls/public.ts';
import { thrownBy } from '../core/thrown.ts';
import { firstNode, needNodes, numa, UNKNOWN_NODE } from './machine.ts';
import { PAGE } from './placed-buffer.ts';
import { openBackend } from './subject.ts';

const syscalls = openSyscalls(numa);
const done = { ok: true, value: undefined };
const one = NodeMask.of(firstNode);
const MAXNODE = 1025;

describe('the six calls', () => {
  test('set and tell the policy of the thread', () => {
    expect(syscalls.setMempolicy({ mode: MPOL.BIND, nodemask: one })).toEqual(done);
    try {
      const told = syscalls.getMempolicy({ flags: 0, maxnode: MAXNODE });
      expect(told).toMatchObject({ ok: true, value: { mode: MPOL.BIND } });
      expect(told.ok && nodesOfWords(told.value.nodemask)).toEqual([firstNode]);
    } finally {
      expect(syscalls.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toEqual(done);
    }
  });

  test('take masks as sets, as words, and as NULL', () => {
    using buffer = numa.allocate(PAGE);
    const range = { address: buffer.address, lengthBytes: PAGE, flags: 0 };
    for (const nodemask of [one, nodemaskWords([firstNode])]) {
      expect(syscalls.mbind({ ...range, mode: MPOL.BIND, nodemask })).toEqual(done);
      expect(`${buffer.policy()}`).toBe(`bind:${firstNode}`);
    }
    expect(syscalls.mbind({ ...range, mode: MPOL.LOCAL, nodemask: null })).toEqual(done);
    const ofRange = { flags: MPOL_F.ADDR, address: buffer.address, maxnode: 0 };
    expect(syscalls.getMempolicy(ofRange)).toMatchObject({ value: { mode: MPOL.LOCAL } });
  });

  test('say no with the errno of the kernel, and throw nothing', async () => {
    using buffer = numa.allocate(PAGE);
    const { address } = buffer;
    const home = { address, lengthBytes: PAGE, node: firstNode, flags: 0 };
    const range = { address, lengthBytes: PAGE, nodemask: one, flags: 0 };
    const status = new Int32Array(1);
    const page = { pages: { address, pageCount: 1 }, status };
    const answers = [
      syscalls.mbind({ ...range, mode: MPOL.BIND, address: address + 1n }),
      syscalls.mbind({ ...range, mode: MPOL.BIND, address: 0n }),
      syscalls.setMempolicy({ mode: MPOL.BIND, nodemask: NodeMask.of(UNKNOWN_NODE) }),
      syscalls.getMempolicy({ flags: MPOL_F.NODE, maxnode: 0 }),
      syscalls.setMempolicyHomeNode(home),
      syscalls.setMempolicyHomeNode({ ...home, flags: 1 }),
      syscalls.movePagesSync({ ...page, pid: 0, nodes: UNKNOWN_NODE, flags: MPOL_MF.MOVE }),
      await syscalls.movePages({ ...page, pid: 0, nodes: null, flags: MPOL_MF.STRICT }),
      await syscalls.migratePages({ pid: 2 ** 22 - 1, from: one, to: one }),
    ];
    const shown = answers.map((answer) => (answer.ok ? 'ok' : errnoName(answer.errno)));
    expect(shown).toEqual([
      ...['EINVAL', 'EFAULT', 'EINVAL', 'EINVAL', 'ENOENT', 'EINVAL'],
      ...['ENODEV', 'EINVAL', 'ESRCH'],
    ]);
    expect(answers[4]).toEqual({
      ok: false,
      errno: ERRNO.ENOENT,
      syscall: 'set_mempolicy_home_node',
    });
  });

  test('move pages and tell where they are', async (context) => {
    const [from, to] = needNodes(context, 2) as [number, number];
    using buffer = numa.allocate(4 * PAGE);
    const range = { address: buffer.address, lengthBytes: 4 * PAGE, mode: MPOL.BIND };
    expect(syscalls.mbind({ ...range, nodemask: NodeMask.of(from), flags: 0 })).toEqual(done);
    buffer.touch();
    const status = new Int32Array(4);
    const pages = { address: buffer.address, pageCount: 4 };
    const call = { pid: 0, pages, flags: MPOL_MF.MOVE, status };
    expect(await syscalls.movePages({ ...call, nodes: to })).toEqual({ ok: true, value: 0 });
    expect([...status]).toEqual([to, to, to, to]);
    const flags = MPOL_MF.MOVE | MPOL_MF.STRICT;
    expect(syscalls.mbind({ ...range, nodemask: NodeMask.of(from), flags })).toEqual(done);
    expect(syscalls.movePagesSync({ ...call, nodes: null })).toEqual({ ok: true, value: 0 });
    expect([...status]).toEqual([from, from, from, from]);
  });

  test('migrate a process, with masks of different lengths', async () => {
    const from = nodemaskWords([UNKNOWN_NODE]);
    expect(await syscalls.migratePages({ pid: 0, from, to: one })).toMatchObject({ ok: true });
  });

  test('go through the backend of a Numa', () => {
    const refusal = { ok: false, errno: ERRNO.EPERM, syscall: 'set_mempolicy' } as const;
    expect(openSyscalls(numa).getMempolicy({ flags: 0, maxnode: 0 })).toMatchObject({ ok: true });
    const backend = openBackend();
    const refusing: Backend = Object.create(backend, {
      setMempolicy: { value: () => refusal },
      topology: { value: () => backend.topology() },
    });
    const over = openSyscalls(openNuma({ backend: refusing }));
    expect(over.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null })).toEqual(refusal);
  });

  test.each([undefined, '0', 0, [0], { words: [1n], maxnode: 65 }])(
    'cannot pass what is no mask (%#)',
    (value) => {
      const nodemask = value as unknown as Nodemask;
      const { code, message } = thrownBy(() => syscalls.setMempolicy({ mode: 0, nodemask }));
      expect(code).toBe('ERR_INVALID_ARG_TYPE');
      expect(message).toContain('"nodemask"');
    },
  );

  test.each([{}, 'numa', 7])('cannot go over %j', (value) => {
    const { code } = thrownBy(() => openSyscalls(value as never));
    expect(code).toMatch(/^ERR_INVALID_ARG_(TYPE|VALUE)$/);
  });
});
