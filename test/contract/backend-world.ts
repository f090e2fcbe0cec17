/**
 * A world in which the backend's own process is the only one: the families that need no second
 * process run through the backend that users get. What needs chosen addresses, children or
 * pointers is left to worlds that have them.
 */

import type {
  Access,
  Backend,
  GetMempolicyRequest,
  GetMempolicyValue,
  MovePagesRequest,
  NodemaskArgument,
} from '../../lib/backend/backend.ts';
import type { Mapping } from '../../lib/backend/mapping.ts';
import type { SyscallFailure, SyscallResult } from '../../lib/backend/syscall-result.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { nodemaskPair } from '../../lib/core/nodemask-words.ts';
import { MPOL } from '../../lib/core/uapi.ts';
import type {
  MaskArgument,
  MmapRequest,
  PointerCalls,
  PolicyRequest,
  WorldHomeNodeRequest,
  WorldMachine,
  WorldMbindRequest,
  WorldMigratePagesRequest,
  WorldProcess,
  WorldSubject,
} from './world.ts';
import type { FileCalls } from './world-files.ts';

/** Files as a backend reads them. */
export function fileCallsOf(backend: Backend): FileCalls {
  return {
    readText: (path) => backend.readText(path),
    readNames: (path) => backend.readNames(path),
    pagemap: async (pid, address, pageCount) => {
      const result = backend.pagemap({ address, pageCount }, pid);
      return result.ok ? { ok: true, value: [...result.value] } : result;
    },
  };
}

const NO_POLICY = { mode: MPOL.DEFAULT, nodemask: null } as const;

function unsupported(syscall: string): SyscallFailure {
  return { ok: false, errno: ERRNO.ENOSYS, syscall };
}

function asNodemask(mask: MaskArgument): NodemaskArgument | null {
  if (mask === null || 'words' in mask) return mask;
  throw new TypeError('a backend takes masks by their words, not by a pointer');
}

class BackendProcess implements WorldProcess {
  readonly pid = 0;
  readonly killedBy = null;
  readonly files: FileCalls;
  readonly pointers: PointerCalls = {
    getMempolicy: async () => ({ result: unsupported('get_mempolicy'), mode: null, words: [] }),
    movePages: async () => unsupported('move_pages'),
  };
  readonly #backend: Backend;
  readonly #mappings: Mapping[] = [];
  readonly #cpus: SyscallResult<number[]>;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.files = fileCallsOf(backend);
    this.#cpus = backend.schedGetaffinity();
  }

  async mmap({ pageCount }: MmapRequest): Promise<SyscallResult<bigint>> {
    const result = this.#backend.mmap(pageCount * this.#backend.pageSizeBytes);
    if (!result.ok) return result;
    this.#mappings.push(result.value);
    return { ok: true, value: result.value.address };
  }

  async touch(
    address: bigint,
    pageCount: number,
    access: Access,
  ): Promise<SyscallResult<undefined>> {
    const mapping = this.#mappingAt(address);
    const offset = Number(address - mapping.address);
    const lengthBytes = pageCount * this.#backend.pageSizeBytes;
    return this.#backend.touch(mapping, offset, lengthBytes, access);
  }

  async store(address: bigint, value: bigint): Promise<SyscallResult<undefined>> {
    const view = this.#wordAt(address);
    if (!view.ok) return view;
    view.value.setBigUint64(0, value, true);
    return { ok: true, value: undefined };
  }

  async load(address: bigint): Promise<SyscallResult<bigint>> {
    const view = this.#wordAt(address);
    return view.ok ? { ok: true, value: view.value.getBigUint64(0, true) } : view;
  }

  async setMempolicy({ mode, nodemask }: PolicyRequest): Promise<SyscallResult<undefined>> {
    return this.#backend.setMempolicy({ mode, nodemask: asNodemask(nodemask) });
  }

  async getMempolicy(request: GetMempolicyRequest): Promise<SyscallResult<GetMempolicyValue>> {
    return this.#backend.getMempolicy(request);
  }

  async mbind(request: WorldMbindRequest): Promise<SyscallResult<undefined>> {
    const lengthBytes = Number(request.lengthBytes);
    const nodemask = asNodemask(request.nodemask);
    return this.#backend.mbind({ ...request, lengthBytes, nodemask });
  }

  movePages(request: MovePagesRequest): Promise<SyscallResult<number>> {
    return this.#backend.movePages(request);
  }

  migratePages(request: WorldMigratePagesRequest): Promise<SyscallResult<number>> {
    const { pid, from, to } = request;
    const masks = nodemaskPair(asNodemask(from), asNodemask(to));
    return this.#backend.migratePages({ pid, ...masks });
  }

  async runOnCpu(cpu: number): Promise<SyscallResult<undefined>> {
    return this.#backend.schedSetaffinity([cpu]);
  }

  /** The process lives on: its policy, its CPUs and its memory are given back. */
  async exit(): Promise<void> {
    this.#backend.setMempolicy(NO_POLICY);
    if (this.#cpus.ok) this.#backend.schedSetaffinity(this.#cpus.value);
    for (const mapping of this.#mappings.splice(0)) this.#backend.munmap(mapping);
  }

  async setMempolicyHomeNode(request: WorldHomeNodeRequest): Promise<SyscallResult<undefined>> {
    const lengthBytes = Number(request.lengthBytes);
    return this.#backend.setMempolicyHomeNode({ ...request, lengthBytes });
  }

  keepTouching = async (): Promise<SyscallFailure> => unsupported('keep_touching');
  munmap = async (): Promise<SyscallFailure> => unsupported('munmap');
  mprotect = async (): Promise<SyscallFailure> => unsupported('mprotect');
  mlock = async (): Promise<SyscallFailure> => unsupported('mlock');
  munlock = async (): Promise<SyscallFailure> => unsupported('munlock');
  setuid = async (): Promise<SyscallFailure> => unsupported('setuid');
  pin = async (): Promise<SyscallFailure> => unsupported('pin');
  unpin = async (): Promise<SyscallFailure> => unsupported('unpin');
  fork = (): Promise<WorldProcess> => Promise.reject(new Error('a backend does not fork'));

  #mappingAt(address: bigint): Mapping {
    const mapping = this.#mappings.find(
      (one) => address >= one.address && address < one.address + BigInt(one.lengthBytes),
    );
    if (mapping === undefined) throw new RangeError(`no mapping at ${address.toString(16)}`);
    return mapping;
  }

  #wordAt(address: bigint): SyscallResult<DataView> {
    const mapping = this.#mappingAt(address);
    const buffer = this.#backend.arrayBuffer(mapping);
    if (!buffer.ok) return buffer;
    const offset = Number(address - mapping.address);
    return { ok: true, value: new DataView(buffer.value, offset, 8) };
  }
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
      const spawn = async (): Promise<WorldProcess> => new BackendProcess(backend);
      return { machine, files: backend, spawn, close: async () => {} };
    },
  };
}
