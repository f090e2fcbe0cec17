/**
 * The part of a simulated thread's backend that is about mappings: each method decodes its
 * arguments as the addon does, and makes the call.
 */

import { setImmediate } from 'node:timers/promises';
import type { Access } from '../backend/backend.ts';
import type {
  FileState,
  MadviseRequest,
  MappedPart,
  Mapping,
  MappingCalls,
  MappingHandle,
  MappingRequest,
} from '../backend/mapping.ts';
import { check } from '../backend/requests.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import {
  advise,
  attach,
  bytesOf,
  bytesOfPart,
  closeDescriptor,
  fileStateOf,
  mapMemory,
  openHostFile,
  privateRoom,
  resizeMemory,
  sync,
  unmapMemory,
} from './backend-mappings.ts';
import type { Caller } from './caller.ts';
import { DONE } from './syscalls/answer.ts';

export class MappingBackend implements MappingCalls {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  mmap(request: MappingRequest): SyscallResult<Mapping> {
    const checked = check.mmap(request, 'request');
    const map = () => mapMemory(this.#caller, checked);
    const room = privateRoom(this.#caller, checked);
    return room === undefined ? this.#call('mmap', map) : this.#caller.callOn(room, 'mmap', map);
  }

  attach(handle: MappingHandle): SyscallResult<Mapping> {
    return attach(this.#caller, check.handle(handle, 'handle'));
  }

  arrayBuffer(mapping: Mapping): SyscallResult<ArrayBuffer> {
    return bytesOf(this.#caller, mapping);
  }

  bytesAt(part: MappedPart): SyscallResult<Uint8Array<ArrayBuffer>> {
    return bytesOfPart(this.#caller, check.part(part, 'part'));
  }

  mremap(mapping: Mapping, lengthBytes: number): SyscallResult<Mapping> {
    const length = check.lengthBytes(lengthBytes, 'lengthBytes');
    return this.#call('mremap', () => resizeMemory(this.#caller, mapping, length));
  }

  munmap(mapping: Mapping): void {
    const { mappings } = this.#caller;
    const known = mappings.find(mapping);
    if (known === undefined) return;
    const { address, lengthBytes } = known;
    const range = { address, lengthBytes: BigInt(lengthBytes) };
    const seen = this.#caller.callOn(range, 'munmap', () => DONE);
    const mapped = mappings.remove(mapping);
    if (mapped !== undefined && seen.ok) unmapMemory(this.#caller, mapped);
  }

  fstat(file: Mapping | number): SyscallResult<FileState> {
    const checked = check.file(file, 'file');
    return this.#call('fstat', () => fileStateOf(this.#caller, checked));
  }

  open(path: string, access: Access): SyscallResult<number> {
    const checked = check.path(path, 'path');
    check.access(access, 'access');
    return this.#call('openat', () => openHostFile(this.#caller, checked, access));
  }

  close(descriptor: number): SyscallResult<undefined> {
    const checked = check.descriptor(descriptor, 'descriptor');
    return this.#call('close', () => closeDescriptor(this.#caller, checked));
  }

  madviseSync(request: MadviseRequest): SyscallResult<undefined> {
    const checked = check.madvise(request, 'request');
    return this.#call('madvise', () => advise(this.#caller, checked));
  }

  async madvise(
    request: MadviseRequest,
    cpus: readonly number[],
  ): Promise<SyscallResult<undefined>> {
    const checked = check.madvise(request, 'request');
    const asked = check.cpus(cpus, 'cpus');
    return later(this.#call('madvise', () => advise(this.#caller, checked, asked)));
  }

  async msync(part: MappedPart): Promise<SyscallResult<undefined>> {
    const checked = check.part(part, 'part');
    return later(this.#call('msync', () => sync(this.#caller, checked)));
  }

  #call<T>(name: string, body: () => SyscallResult<T>): SyscallResult<T> {
    return this.#caller.call(name, body);
  }
}

/** In a later turn of the event loop, as a call on another thread answers. */
export async function later<T>(result: SyscallResult<T>): Promise<SyscallResult<T>> {
  await setImmediate();
  return result;
}
