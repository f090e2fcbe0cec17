/** Every export of the addon, with arguments that it takes: what tests call all of them with. */

import type { Mapping } from '../../lib/backend/mapping.ts';
import { MADV, MPOL, MPOL_MF, PAGE_IS } from '../../lib/core/uapi.ts';
import type { Addon } from '../../lib/native-backend/addon.ts';
import { UNWRITTEN } from '../contract/world.ts';

export type EntryName = keyof Addon;

export interface EntryPoint {
  /** Arguments with which the call works; some calls use theirs up. */
  readonly arguments: () => readonly unknown[];
  /** Gives back what a call has made or used, where nothing else would. */
  readonly after?: (result: unknown, values: readonly unknown[]) => void;
}

const PAGE_COUNT = 4;
/** Of a mask with one word. */
const MAXNODE = 65;

const text = new TextEncoder();

/** The table of one thread: mappings belong to it. */
export function entryPoints(addon: Addon): Record<EntryName, EntryPoint> {
  const pageSizeBytes = addon.page_size_bytes();
  const words = new BigUint64Array([1n]);
  const status = () => new Int32Array(PAGE_COUNT).fill(UNWRITTEN);
  const mapping = newMapping();
  const { address, handle } = mapping;
  const cpus = cpusOf(addon);
  const shared = mappingOf(addon.mmap_with(pageSizeBytes, 0, 0, 1, -1, 0));
  const query = () => [0, PAGE_COUNT, address, null, status(), MPOL_MF.MOVE, mapping];
  const none = { arguments: () => [] };

  function newMapping() {
    const made = mappingOf(addon.mmap(PAGE_COUNT * pageSizeBytes));
    addon.touch(made, 0, made.lengthBytes, 'write');
    return made;
  }

  return {
    mmap: { arguments: () => [pageSizeBytes], after: (result) => giveUp(addon, result) },
    mmap_with: {
      arguments: () => [pageSizeBytes, 0, 0, 1, -1, 0],
      after: (result) => giveUp(addon, result),
    },
    madvise: { arguments: () => [mapping, 0, pageSizeBytes, MADV.NOHUGEPAGE] },
    madvise_async: { arguments: () => [mapping, 0, pageSizeBytes, MADV.POPULATE_WRITE, [0]] },
    msync_async: { arguments: () => [shared, 0, pageSizeBytes] },
    fstat: { arguments: () => [shared] },
    attach: {
      arguments: () => [handle.id, handle.generation],
      after: (result) => giveUp(addon, result),
    },
    array_buffer: {
      arguments: () => [newMapping()],
      after: (_result, [used]) => addon.munmap(used as Mapping),
    },
    array_buffer_part: {
      arguments: () => [newMapping(), 0, pageSizeBytes],
      after: (_result, [used]) => addon.munmap(used as Mapping),
    },
    mremap: {
      arguments: () => [newMapping(), 2 * pageSizeBytes, new BigUint64Array()],
      after: (result) => giveUp(addon, result),
    },
    munmap: { arguments: () => [newMapping()] },
    touch: { arguments: () => [mapping, 0, pageSizeBytes, 'read'] },
    touch_view: { arguments: () => [new Uint8Array(pageSizeBytes), 'write'] },
    view_address: { arguments: () => [new Uint8Array(pageSizeBytes)] },
    mbind: { arguments: () => [address, pageSizeBytes, MPOL.BIND, words, MAXNODE, 0] },
    set_mempolicy: { arguments: () => [0, null, 0] },
    get_mempolicy: { arguments: () => [1024, 0n, 0] },
    set_mempolicy_home_node: { arguments: () => [address, pageSizeBytes, 0, 0] },
    move_pages: { arguments: query },
    move_pages_async: { arguments: query },
    copy_pages_async: { arguments: () => [mapping, 0, pageSizeBytes, 0, [0], 0, null, 0, -1, 0] },
    read_mappings_async: { arguments: () => [0, address, pageSizeBytes] },
    migrate_pages_async: { arguments: () => [0, MAXNODE, words, words] },
    getcpu: none,
    // All of them: a wrong number may be that of a thread that is there.
    sched_setaffinity: { arguments: () => [0, cpus] },
    sched_getaffinity: none,
    execve: {
      arguments: () => [
        text.encode('/no/such/program\0'),
        text.encode('program\0'),
        new Int32Array(0),
        0,
      ],
    },
    pagemap: { arguments: () => [0, address, new BigUint64Array(PAGE_COUNT)] },
    pagemap_scan: {
      arguments: () => [
        ...[0, address, PAGE_COUNT, PAGE_IS.PRESENT, PAGE_COUNT],
        ...[new BigUint64Array(3 * PAGE_COUNT), new BigUint64Array(1)],
      ],
    },
    mincore: { arguments: () => [address, PAGE_COUNT, new BigUint64Array(1)] },
    libnuma_path: none,
    page_size_bytes: none,
    uapi: none,
  };
}

function mappingOf(result: ReturnType<Addon['mmap']>): Mapping {
  if (!result.ok) throw new Error(`${result.syscall} failed with errno ${result.errno}`);
  return result.value;
}

/** What the addon exports; under some loaders also its own path. */
export function exportedNames(addon: Addon): EntryName[] {
  const functions = Object.entries(addon).filter(([, value]) => typeof value === 'function');
  return functions.map(([name]) => name as EntryName);
}

/** Releases the mapping that a call has made. */
function giveUp(addon: Addon, result: unknown): void {
  const made = result as ReturnType<Addon['mmap']>;
  if (made.ok) addon.munmap(made.value);
}

function cpusOf(addon: Addon): number[] {
  const result = addon.sched_getaffinity();
  if (!result.ok) throw new Error(`sched_getaffinity failed with errno ${result.errno}`);
  return result.value;
}
