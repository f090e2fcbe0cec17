/**
 * Memory by addresses, of a process that has only a backend: the part of the calls that a backend
 * can express. Where memory lies is the system's to choose, and it is given up as a whole.
 */

import type { Access, Backend, PageSpan } from '../backend/backend.ts';
import type { Mapping } from '../backend/mapping.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import { ERRNO } from '../core/errno.ts';
import type { MemoryCalls, MmapRequest } from './memory.ts';

export class BackendMemory
  implements Pick<MemoryCalls, 'mmap' | 'munmap' | 'touch' | 'store' | 'load'>
{
  readonly #backend: Backend;
  readonly #mappings = new Set<Mapping>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  mmap({ pageCount }: MmapRequest): SyscallResult<bigint> {
    const result = this.#backend.mmap({
      lengthBytes: pageCount * this.#backend.pageSizeBytes,
    });
    if (!result.ok) return result;
    this.#mappings.add(result.value);
    return { ok: true, value: result.value.address };
  }

  munmap({ address, pageCount }: PageSpan): SyscallResult<undefined> {
    const mapping = this.#mappingAt(address);
    if (!mapping.ok) return { ok: true, value: undefined };
    const isWhole =
      address === mapping.value.address &&
      pageCount * this.#backend.pageSizeBytes === mapping.value.lengthBytes;
    if (!isWhole) return { ok: false, errno: ERRNO.EINVAL, syscall: 'munmap' };
    this.#mappings.delete(mapping.value);
    this.#backend.munmap(mapping.value);
    return { ok: true, value: undefined };
  }

  touch({ address, pageCount }: PageSpan, access: Access): SyscallResult<undefined> {
    const mapping = this.#mappingAt(address);
    if (!mapping.ok) return mapping;
    const offset = Number(address - mapping.value.address);
    const lengthBytes = pageCount * this.#backend.pageSizeBytes;
    return this.#backend.touch(mapping.value, offset, lengthBytes, access);
  }

  store(address: bigint, value: bigint): SyscallResult<undefined> {
    const view = this.#wordAt(address);
    if (!view.ok) return view;
    view.value.setBigUint64(0, value, true);
    return { ok: true, value: undefined };
  }

  load(address: bigint): SyscallResult<bigint> {
    const view = this.#wordAt(address);
    return view.ok ? { ok: true, value: view.value.getBigUint64(0, true) } : view;
  }

  /** Unmaps all that is left. */
  giveBack(): void {
    for (const mapping of this.#mappings) this.#backend.munmap(mapping);
    this.#mappings.clear();
  }

  #mappingAt(address: bigint): SyscallResult<Mapping> {
    for (const mapping of this.#mappings) {
      const end = mapping.address + BigInt(mapping.lengthBytes);
      if (address >= mapping.address && address < end) return { ok: true, value: mapping };
    }
    return { ok: false, errno: ERRNO.EFAULT, syscall: 'touch' };
  }

  #wordAt(address: bigint): SyscallResult<DataView> {
    const mapping = this.#mappingAt(address);
    if (!mapping.ok) return mapping;
    const buffer = this.#backend.arrayBuffer(mapping.value);
    if (!buffer.ok) return buffer;
    const offset = Number(address - mapping.value.address);
    const view = new DataView(buffer.value, offset, BigUint64Array.BYTES_PER_ELEMENT);
    return { ok: true, value: view };
  }
}
