/**
 * The part of the native backend that is about mappings: each method is one call of the addon.
 */

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
import type { Addon } from './addon.ts';
import { readMaps } from './proc-maps.ts';
import { closeFile, openFile, statDescriptor } from './system-files.ts';

export class NativeMappings implements MappingCalls {
  readonly pageSizeBytes: number;
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
    this.pageSizeBytes = addon.page_size_bytes();
  }

  mmap(request: MappingRequest): SyscallResult<Mapping> {
    const asked = check.mmap(request, 'request');
    const { lengthBytes, alignmentBytes = 0, hugePageBytes = 0, isShared = false } = asked;
    const { descriptor = -1, offsetBytes = 0 } = asked;
    const { mmap_with } = this.#addon;
    const sharing = isShared ? 1 : 0;
    return mmap_with(lengthBytes, alignmentBytes, hugePageBytes, sharing, descriptor, offsetBytes);
  }

  attach(handle: MappingHandle): SyscallResult<Mapping> {
    const { id, generation } = check.handle(handle, 'handle');
    return this.#addon.attach(id, generation);
  }

  arrayBuffer(mapping: Mapping): SyscallResult<ArrayBuffer> {
    return this.#addon.array_buffer(mapping);
  }

  bytesAt(part: MappedPart): SyscallResult<Uint8Array<ArrayBuffer>> {
    const { mapping, offsetBytes, lengthBytes } = check.part(part, 'part');
    const made = this.#addon.array_buffer_part(mapping, offsetBytes, lengthBytes);
    return made.ok ? { ...made, value: new Uint8Array(made.value) } : made;
  }

  mremap(mapping: Mapping, lengthBytes: number): SyscallResult<Mapping> {
    const checked = check.lengthBytes(lengthBytes, 'lengthBytes');
    return this.#addon.mremap(mapping, checked, this.#endsWithin(mapping));
  }

  /** Offsets at which the kernel's mappings of it end; none where /proc does not tell. */
  #endsWithin(mapping: Partial<Mapping> | undefined): BigUint64Array {
    const { address, lengthBytes } = mapping ?? {};
    if (typeof address !== 'bigint' || typeof lengthBytes !== 'number') return new BigUint64Array();
    const size = this.pageSizeBytes;
    const parts = readMaps({ address, pageCount: Math.ceil(lengthBytes / size) }, size);
    const ends = (parts.ok ? parts.value : []).map(
      (part) => part.address - address + BigInt(part.pageCount * size),
    );
    return BigUint64Array.from(ends);
  }

  fstat(file: Mapping | number): SyscallResult<FileState> {
    const checked = check.file(file, 'file');
    return typeof checked === 'number' ? statDescriptor(checked) : this.#addon.fstat(checked);
  }

  open(path: string, access: Access): SyscallResult<number> {
    return openFile(check.path(path, 'path'), check.access(access, 'access'));
  }

  close(descriptor: number): SyscallResult<undefined> {
    return closeFile(check.descriptor(descriptor, 'descriptor'));
  }

  munmap(mapping: Mapping): void {
    this.#addon.munmap(mapping);
  }

  madviseSync(request: MadviseRequest): SyscallResult<undefined> {
    const { mapping, offsetBytes, lengthBytes, advice } = check.madvise(request, 'request');
    return this.#addon.madvise(mapping, offsetBytes, lengthBytes, advice);
  }

  async madvise(
    request: MadviseRequest,
    cpus: readonly number[],
  ): Promise<SyscallResult<undefined>> {
    const { mapping, offsetBytes, lengthBytes, advice } = check.madvise(request, 'request');
    const { madvise_async } = this.#addon;
    return madvise_async(mapping, offsetBytes, lengthBytes, advice, check.cpus(cpus, 'cpus'));
  }

  async msync(part: MappedPart): Promise<SyscallResult<undefined>> {
    const { mapping, offsetBytes, lengthBytes } = check.part(part, 'part');
    return this.#addon.msync_async(mapping, offsetBytes, lengthBytes);
  }
}
