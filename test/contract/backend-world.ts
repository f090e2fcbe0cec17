/**
 * A world in which the backend's own process is the only one: the families that need no second
 * process run through the backend that users get. What needs chosen addresses, children or
 * pointers is left to worlds that have them.
 */

import type { Backend, NodemaskArgument } from '../../lib/backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../../lib/backend/syscall-result.ts';
import { methodOf, NUMA_CALLS, type PolicyCall } from '../../lib/core/calls.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { nodemaskPair } from '../../lib/core/nodemask-words.ts';
import { MPOL, MPOL_MF } from '../../lib/core/uapi.ts';
import { BackendMemory } from '../../lib/machine/backend-memory.ts';
import type {
  GetMempolicyPointers,
  MaskArgument,
  NumaCalls,
  StoredPolicy,
} from '../../lib/machine/numa.ts';
import { type Later, later } from '../support/later.ts';
import { type PolicyRequest, policyCallsOf } from '../support/numa-calls.ts';
import type { WorldMachine, WorldProcess, WorldSubject } from './world.ts';

const NO_POLICY = { mode: MPOL.DEFAULT, nodemask: null } as const;

function unsupported(syscall: string): SyscallFailure {
  return { ok: false, errno: ERRNO.ENOSYS, syscall };
}

/** Calls of which a backend has none: ENOSYS. It is no promise. */
const nothing: object = new Proxy(
  {},
  { has: (_, name) => name !== 'then', get: (_, name) => () => unsupported(String(name)) },
);

/** A value of a kind that the kernel takes, and a backend does not. */
function refused(what: string): TypeError {
  return new TypeError(`a backend takes ${what} by their values, not by a pointer`);
}

function asNodemask(mask: MaskArgument): NodemaskArgument | null {
  if (mask === null || 'words' in mask) return mask;
  throw refused('masks');
}

/** Lengths are numbers, masks are words. */
function asAsked(call: PolicyCall, request: PolicyRequest): object {
  const takes = Object.entries(NUMA_CALLS[call].takes);
  return Object.fromEntries(
    takes.map(([name, kind]) => {
      const value = request[name];
      if (kind === 'mask') return [name, asNodemask(value as MaskArgument)];
      return [name, kind === 'length' ? Number(value) : value];
    }),
  );
}

/** What it tells: the mode and the mask, into buffers of its own. */
function storedPolicy(backend: Backend, request: GetMempolicyPointers): StoredPolicy {
  const { flags, address, maxnode } = request;
  const asked = { flags, maxnode: Number(maxnode), ...(address === undefined ? {} : { address }) };
  const result = backend.getMempolicy(asked);
  if (!result.ok) return { result, mode: null, words: [] };
  const { mode, nodemask } = result.value;
  return { result: { ok: true, value: undefined }, mode, words: [...nodemask] };
}

/** The NUMA calls of a backend, with the arguments that it can express. */
function numaCalls(backend: Backend): Later<NumaCalls> {
  return {
    ...policyCallsOf((call) => async (request) => {
      const method = backend[methodOf(call)] as (asked: object) => SyscallResult<undefined>;
      return method.call(backend, asAsked(call, request));
    }),
    getMempolicy: async (request) => storedPolicy(backend, request),
    movePages: async ({ pid = 0, pages, nodes, status, flags = MPOL_MF.MOVE }) => {
      if (typeof pages === 'bigint' || typeof nodes === 'bigint' || typeof status === 'bigint') {
        throw refused('arrays');
      }
      return backend.movePages({ pid, pages, nodes, status, flags });
    },
    migratePages: async ({ pid, from, to }) =>
      backend.migratePages({ pid, ...nodemaskPair(asNodemask(from), asNodemask(to)) }),
  };
}

function processOf(backend: Backend): WorldProcess {
  const memory = new BackendMemory(backend);
  const cpus = backend.schedGetaffinity();
  const own = {
    pid: 0,
    killedBy: null,
    files: backend,
    memory: later(memory, nothing),
    numa: numaCalls(backend),
    runOnCpu: (cpu: number, tid?: number) => backend.schedSetaffinity([cpu], tid),
    affinity: () => backend.schedGetaffinity(),
    fork: () => {
      throw new Error('a backend does not fork');
    },
    /** The process lives on: its policy, its CPUs and its memory are given back. */
    exit: () => {
      backend.setMempolicy(NO_POLICY);
      if (cpus.ok) backend.schedSetaffinity(cpus.value);
      memory.giveBack();
    },
  };
  return later<WorldProcess>(own, nothing) as WorldProcess;
}

/** A backend with the facts of the machine that it answers for. */
export interface BackendSubject {
  readonly name: string;
  open(): { readonly backend: Backend; readonly machine: WorldMachine };
}

export function worldOfBackend(subject: BackendSubject): WorldSubject {
  return {
    name: subject.name,
    traits: new Set(['contents', 'files']),
    open: async () => {
      const { backend, machine } = subject.open();
      const spawn = async (): Promise<WorldProcess> => processOf(backend);
      return { machine, files: backend, spawn, close: async () => {} };
    },
  };
}
