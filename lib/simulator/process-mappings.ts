/**
 * The mappings that a simulated process has through its backend: who owns them, and the real bytes
 * of those whose bytes were asked for.
 */

import { markAsUntransferable } from 'node:worker_threads';
import type { Mapping, MappingHandle } from '../backend/mapping.ts';
import { invalidArgumentType } from '../core/argument-errors.ts';
import { LiveMappings } from './live-bytes.ts';
import {
  type ByteRange,
  contentsOf,
  detachBytes,
  hasOwnBytes,
  Mapped,
  type MappedFile,
  newBytes,
  privateCopyOf,
  resized,
  transfer,
  zeroUntransferable,
} from './mapped.ts';
import type { Mm } from './memory/mm.ts';
import { pageOf } from './syscalls/range-argument.ts';
import { type LiveSpan, ViewedBuffers } from './viewed-buffers.ts';

/** What is to be added: `pageCount` may be more than the length needs. */
export interface NewMapped {
  readonly address: bigint;
  readonly lengthBytes: number;
  readonly pageCount: number;
  readonly file: MappedFile | null;
}

/** One owner's share. Scripts have it: what they make of it does not count. */
class Share implements Mapping {
  readonly #mapped: Mapped;
  readonly handle: MappingHandle;
  readonly address: bigint;
  readonly lengthBytes: number;
  readonly descriptor: number | null;

  constructor(mapped: Mapped) {
    this.#mapped = mapped;
    ({ handle: this.handle, address: this.address, lengthBytes: this.lengthBytes } = mapped);
    this.descriptor = mapped.file?.descriptor ?? null;
    Object.freeze(this);
  }

  /** Whether it is one: what only inherits from one is none. */
  static isShare(value: unknown): value is Share {
    return typeof value === 'object' && value !== null && #mapped in value;
  }

  static mappedOf(share: Share): Mapped {
    return share.#mapped;
  }
}

export class ProcessMappings implements Iterable<Mapped> {
  readonly #pid: number;
  readonly #pageSizeBytes: number;
  readonly #viewed: ViewedBuffers;
  /** Owners by the handle's id; none of the sets is empty. */
  readonly #shares = new Map<number, Set<Share>>();
  /** Those whose bytes were asked for, and buffers of the engine that were looked at. */
  #live = new LiveMappings();
  #lastId = 0;

  constructor(pid: number, pageSizeBytes: number) {
    this.#pid = pid;
    this.#pageSizeBytes = pageSizeBytes;
    this.#viewed = new ViewedBuffers(pageSizeBytes);
  }

  *[Symbol.iterator](): Iterator<Mapped> {
    for (const shares of this.#shares.values()) {
      for (const share of shares) {
        yield Share.mappedOf(share);
        break;
      }
    }
  }

  get live(): LiveMappings {
    return this.#live;
  }

  /** A new mapping with one owner. */
  add({ address, lengthBytes, pageCount, file }: NewMapped): Mapping {
    this.#lastId += 1;
    // Ids are never used twice; the generation tells processes of one machine from each other.
    const handle = Object.freeze({ id: this.#lastId, generation: this.#pid });
    const start = pageOf(address, this.#pageSizeBytes);
    const contents = contentsOf(file, lengthBytes);
    const where = { handle, address, lengthBytes, start, end: start + pageCount };
    return this.#share(new Mapped({ ...where, file, contents }));
  }

  /** One more owner; undefined where the last has gone, or the handle is of another process. */
  attach({ id, generation }: MappingHandle): Mapping | undefined {
    const [share] = this.#shares.get(id) ?? [];
    if (share === undefined || share.handle.generation !== generation) return undefined;
    return this.#share(Share.mappedOf(share));
  }

  #share(mapped: Mapped): Share {
    const share = new Share(mapped);
    const { id } = mapped.handle;
    this.#shares.set(id, (this.#shares.get(id) ?? new Set()).add(share));
    return share;
  }

  /** What a live owner's share stands for. */
  find(mapping: Mapping): Mapped | undefined {
    const share = this.#liveShare(mapping);
    return share === undefined ? undefined : Share.mappedOf(share);
  }

  #liveShare(mapping: Mapping): Share | undefined {
    if (!Share.isShare(mapping)) {
      throw invalidArgumentType('mapping', 'a mapping of this backend', mapping);
    }
    return this.#shares.get(mapping.handle.id)?.has(mapping) === true ? mapping : undefined;
  }

  /** The bytes of a live share, one ArrayBuffer for all owners. @throws RangeError when too long */
  bytesOf(mapping: Mapping, part?: ByteRange): ArrayBuffer | undefined {
    const share = this.#liveShare(mapping);
    if (share === undefined) return undefined;
    const mapped = Share.mappedOf(share);
    const { contents } = mapped;
    contents.bytes ??= newBytes(contents, mapped.lengthBytes);
    this.#show(mapped, share);
    if (mapped.look(part, this.#pageSizeBytes)) this.#live.unsettle(mapped.start, mapped.end);
    return contents.bytes;
  }

  #show(mapped: Mapped, share: Share): void {
    const { bytes, viewers } = mapped.contents;
    if (bytes === undefined) return;
    if (this.#viewed.find(bytes) === undefined && hasOwnBytes(mapped)) {
      // As Node 20 has it for mapped memory: a transfer list copies.
      if (transfer === undefined) markAsUntransferable(bytes);
      this.#viewed.enter(bytes, mapped);
    }
    viewers.add(share);
    this.#live.add(mapped);
  }

  /** Whether one owner has it, and no script has taken its bytes along. */
  isOnlyUser(mapping: Mapping): boolean {
    const mapped = this.find(mapping);
    const isTaken = mapped?.bytes !== undefined && !hasOwnBytes(mapped);
    return !isTaken && this.#shares.get(mapping.handle.id)?.size === 1;
  }

  /** Its only owner has it elsewhere now: a new share, with the same handle. */
  replace(mapping: Mapping, moved: NewMapped): Mapping {
    const before = this.find(mapping) as Mapped;
    const { handle, contents: old } = before;
    const bytes = hasOwnBytes(before) ? resized(before.bytes, moved.lengthBytes) : undefined;
    this.remove(mapping);
    const start = pageOf(moved.address, this.#pageSizeBytes);
    const contents = { ...contentsOf(null, moved.lengthBytes), bytes };
    const where = { handle, ...moved, start, end: start + moved.pageCount };
    const mapped = new Mapped({ ...where, contents });
    mapped.looked = before.looked;
    const share = this.#share(mapped);
    if (old.bytes !== undefined) this.#show(mapped, share);
    return share;
  }

  /** Fresh pages that a buffer gets when it is looked at; none where it was before. */
  pagesNeededBy(buffer: ArrayBufferLike): number {
    return this.#viewed.find(buffer) === undefined ? this.#viewed.pageCountFor(buffer) : 0;
  }

  /**
   * The pages of a buffer: of a mapping's bytes, or an area of its own, which is mapped when it is
   * first looked at. Undefined where there is no room.
   * @param map the first of so many fresh pages
   */
  areaOf(
    buffer: ArrayBufferLike,
    map: (pageCount: number) => number | undefined,
  ): LiveSpan | undefined {
    const known = this.#viewed.find(buffer);
    if (known !== undefined) return known;
    const pageCount = this.#viewed.pageCountFor(buffer);
    const start = map(pageCount);
    if (start === undefined) return undefined;
    const area = this.#viewed.add(buffer, { start, end: start + pageCount });
    this.#live.add(area);
    return area;
  }

  /** Unmaps what buffers had that were collected since. */
  dropCollected(mm: Mm): void {
    for (const area of this.#viewed.dropCollected(mm)) {
      this.#live.delete(area);
    }
  }

  /** Ends an owner's share; the value is the mapping that has lost its last owner by that. */
  remove(mapping: Mapping): Mapped | undefined {
    const share = this.#liveShare(mapping);
    const owners = this.#shares.get(mapping.handle.id);
    if (share === undefined || owners === undefined) return undefined;
    owners.delete(share);
    const mapped = Share.mappedOf(share);
    const { contents } = mapped;
    if (contents.viewers.delete(share) && contents.viewers.size === 0) {
      detachBytes(contents, owners.size === 0 && mapped.file === null);
    }
    if (owners.size > 0) return undefined;
    this.#shares.delete(mapped.handle.id);
    this.#live.delete(mapped);
    // The memory is given back: a view that could not be detached shows zeros from now on.
    if (contents.viewers.size === 0) zeroUntransferable(contents);
    return mapped;
  }

  /** A program was executed: the memory is gone, and no handle names any. */
  clear(): void {
    this.#shares.clear();
    this.#viewed.clear();
    this.#live = new LiveMappings();
  }

  /** A child's table after a fork: the same handles, and bytes of its own. */
  copyInto(child: ProcessMappings): void {
    child.#lastId = this.#lastId;
    for (const mapped of this) {
      const copied = mapped.file?.isShared === true ? mapped : privateCopyOf(mapped);
      child.#share(copied);
      if (copied.bytes !== undefined) child.#live.add(copied);
    }
  }
}
