/** What the system allows, asked without side effects, and why not. */

import { describe, expect, test } from 'vitest';
import {
  methodOf,
  NUMA_CALLS,
  type NumaCall,
  numaCalls,
  numaMethods,
} from '../../lib/core/calls.ts';
import { type Backend, bind, type Capability, openNuma } from '../../lib/index.ts';
import { firstNode, numa } from './machine.ts';
import { isPrivileged, openBackend } from './subject.ts';

type Answers = Partial<Record<keyof Backend, number>>;

/** This machine, with errnos in the place of some calls' answers and a status file of its own. */
function behindFilter(answers: Answers, status: string, kernel?: string): Backend {
  const backend = openBackend();
  const identity = { ...backend.identity, ...(kernel === undefined ? {} : { kernel }) };
  return new Proxy(backend, {
    get(target, name: keyof Backend) {
      if (name === 'identity') return identity;
      const errno = answers[name];
      if (errno !== undefined) return () => ({ ok: false, errno, syscall: name });
      const member = Reflect.get(target, name, target) as unknown;
      if (name === 'readText') {
        return (path: string) =>
          path === '/proc/self/status'
            ? Promise.resolve({ ok: true, value: status })
            : path.startsWith('/proc/self/root') || /cgroup|mountinfo/.test(path)
              ? Promise.resolve({ ok: false, errno: 2, syscall: 'open' })
              : target.readText(path);
      }
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

const FILTERED = 'Seccomp:\t2\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n';
const UNFILTERED = 'Seccomp:\t0\nCapEff:\t0000000000000000\nNoNewPrivs:\t0\n';
const [EPERM, ENOSYS] = [1, 38];
const DENIED: Answers = Object.fromEntries(numaMethods.map((method) => [method, EPERM]));
/** One that not every kernel has. */
const YOUNG = numaCalls.find((call) => NUMA_CALLS[call].since !== undefined) as NumaCall;

function partOf(parts: readonly Capability[], name: string): Capability {
  const part = parts.find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`there is no ${name}`);
  return part;
}

describe('asking', () => {
  test('the calls that this machine lets the tests make, work', async () => {
    const { calls, files, kernel, backend } = await numa.capabilities();
    expect({ kernel, backend }).toEqual({
      kernel: numa.backend.kernel,
      backend: numa.backend.kind,
    });
    for (const name of numaCalls) {
      expect(calls[name], name).toMatchObject({ name, works: true, isProbed: true });
    }
    expect(partOf(files, '/proc/self/maps').works).toBe(true);
  });

  test('the privileged flag works for those who have the privilege', async () => {
    const { calls } = await numa.capabilities();
    for (const call of [calls.mbind, calls.move_pages]) {
      const part = partOf(call.parts, 'MPOL_MF_MOVE_ALL');
      expect(part.works).toBe(isPrivileged);
      if (!isPrivileged) expect(part.cause).toBe('capability');
    }
  });

  test('a mode works where setting it does', async () => {
    const { calls } = await numa.capabilities();
    const mode = partOf(calls.mbind.parts, 'MPOL_WEIGHTED_INTERLEAVE');
    using buffer = numa.allocate(numa.pageSizeBytes);
    const backend = openBackend();
    const nodemask = { words: BigUint64Array.of(1n << BigInt(firstNode)), maxnode: 65 };
    const request = { address: buffer.address, lengthBytes: numa.pageSizeBytes, mode: 6, flags: 0 };
    const result = backend.mbind({ ...request, nodemask });
    // Another Numa of the simulator has the same machine; on a kernel all share the process.
    expect(mode.works).toBe(result.ok);
    if (!result.ok) expect(mode).toMatchObject({ cause: 'kernel', errnoName: 'EINVAL' });
  });

  test('changes no policy, places no page, and answers once', async () => {
    using buffer = numa.allocate(4 * numa.pageSizeBytes, { policy: bind(firstNode) });
    buffer.touch({ lengthBytes: 2 * numa.pageSizeBytes });
    const fresh = openNuma({ backend: openBackend() });
    const look = () => ({
      thread: `${numa.thread.policy()}`,
      range: `${buffer.policy()}`,
      pages: buffer.residencySync(),
      allowed: `${numa.allowedNodes()}`,
      affinity: numa.thread.affinity(),
    });
    const before = look();
    const capabilities = await fresh.capabilities();
    expect(look()).toEqual(before);
    expect(await fresh.capabilities()).toBe(capabilities);
    expect(Object.isFrozen(capabilities.calls.mbind.parts)).toBe(true);
  });
});

describe('why not', () => {
  test('all denied by a filter', async () => {
    const { calls, verbs } = await capabilitiesBehind(DENIED, FILTERED);
    for (const name of numaCalls) {
      expect(calls[name], name).toMatchObject({ works: false, cause: 'seccomp' });
      expect(calls[name].errnoName).toBe('EPERM');
      expect(calls[name].remedies?.length).toBeGreaterThan(0);
    }
    const modes = calls.set_mempolicy.parts;
    expect(partOf(modes, 'MPOL_BIND')).toMatchObject({ works: false, isProbed: false });
    const residency = verbs.find(({ verb }) => verb === 'buffer.residency()');
    expect(residency?.by).toBe('/proc/self/numa_maps');
    const migrate = verbs.find(({ verb }) => verb === 'buffer.migrate()');
    expect(migrate?.by).toBeUndefined();
    // No advice that would fail as well.
    expect(migrate?.instead).toBeUndefined();
  });

  test('denied where no filter is on: nobody says by whom', async () => {
    const { calls, verbs } = await capabilitiesBehind(
      { movePages: EPERM, movePagesSync: EPERM },
      UNFILTERED,
    );
    expect(calls.move_pages).toMatchObject({ works: false, cause: 'unknown' });
    expect(calls.mbind.works).toBe(true);
    const migrate = verbs.find(({ verb }) => verb === 'buffer.migrate()');
    expect(migrate?.by).toBe('mbind MPOL_MF_MOVE');
    expect(migrate?.lost).toContain('blocks the calling thread');
  });

  test('a call that the kernel is too old for', async () => {
    const backend = behindFilter({ [methodOf(YOUNG)]: ENOSYS }, FILTERED, '5.10.0-30-amd64');
    const { calls } = await openNuma({ backend }).capabilities();
    expect(calls[YOUNG]).toMatchObject({ cause: 'kernel', errnoName: 'ENOSYS' });
    const [remedy] = calls[YOUNG].remedies ?? [];
    expect(remedy?.action).toBe('Linux 5.17 or newer');
  });

  test('a filter that is older than the call', async () => {
    const { calls } = await capabilitiesBehind({ [methodOf(YOUNG)]: ENOSYS }, FILTERED);
    expect(calls[YOUNG].cause).toBe('seccomp');
  });

  test('a kernel that was built without it', async () => {
    const { calls } = await capabilitiesBehind({ migratePages: ENOSYS }, UNFILTERED);
    expect(calls.migrate_pages).toMatchObject({ cause: 'kernel', errnoName: 'ENOSYS' });
  });

  test('modes are told by the release where mbind is denied', async () => {
    const backend = behindFilter({ mbind: EPERM }, FILTERED, '6.1.0');
    const { calls } = await openNuma({ backend }).capabilities();
    const weighted = partOf(calls.set_mempolicy.parts, 'MPOL_WEIGHTED_INTERLEAVE');
    expect(weighted).toMatchObject({ works: false, isProbed: false, cause: 'kernel' });
    const many = partOf(calls.set_mempolicy.parts, 'MPOL_PREFERRED_MANY');
    expect(many).toMatchObject({ works: true, isProbed: false });
  });

  function capabilitiesBehind(answers: Answers, status: string) {
    return openNuma({ backend: behindFilter(answers, status) }).capabilities();
  }
});
