/**
 * A stretch of an address space with one set of attributes. Immutable: a change makes a new one.
 * Which of them the kernel may join is decided by whose anonymous pages each may have: its own, and
 * those of the processes that its process was forked from.
 *
 * Source: include/linux/mm_types.h, struct vm_area_struct; include/linux/rmap.h, struct anon_vma
 * and anon_vma_chain; mm/rmap.c, anon_vma_clone(), anon_vma_fork(), __anon_vma_prepare() and
 * unlink_anon_vmas().
 */

import type { KernelFacts } from '../../core/kernel-facts.ts';
import type { Mempolicy } from '../policy/mempolicy.ts';
import type { MemoryObject } from './memory-object.ts';

/**
 * What the mapping may be used for; `write` includes `read`. Memory that is `write-only` can be
 * read by the program all the same, but not on its behalf by a call.
 */
export type VmaAccess = 'none' | 'read' | 'write' | 'write-only';

/** `VM_*` of include/linux/mm.h, as far as placement and migration look at them. */
export const VM = {
  SHARED: 1,
  LOCKED: 2,
  /** MADV_DONTFORK. */
  DONTCOPY: 4,
  /** Pages of a driver, put in one by one. */
  MIXEDMAP: 8,
  /** Device memory: not migratable. */
  IO: 16,
  HUGEPAGE: 32,
  NOHUGEPAGE: 64,
  /** KSM may merge its pages. */
  MERGEABLE: 128,
  /** vdso and its like, which cannot be split. */
  SPECIAL: 256,
  /** MADV_SEQUENTIAL, MADV_RANDOM, MADV_DONTDUMP: they only tell mappings apart. */
  SEQ_READ: 512,
  RAND_READ: 1024,
  DONTDUMP: 2048,
  /** A child has the mapping without its pages. */
  WIPEONFORK: 8192,
} as const;

export interface Vma extends AnonLinks {
  /** First page number. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly access: VmaAccess;
  /** `VM`s. */
  readonly flags: number;
  readonly object: MemoryObject | null;
  /** Page offset of `start`: in the object, or, without one, the page number it was made at. */
  readonly offset: number;
  readonly policy: Mempolicy | null;
}

export function isPrivateAnonymous({ object }: Vma): boolean {
  return object === null;
}

/** Huge pages of a pool are behind it. Source: is_vm_hugetlb_page(). */
export function isHugetlb({ object }: Pick<Vma, 'object'>): boolean {
  return object?.kind.isHugetlb === true;
}

export function hasFlag({ flags }: Vma, flag: number): boolean {
  return (flags & flag) !== 0;
}

/**
 * Whether memory is promised for the pages that it has not got yet: since it could be written, on
 * newer kernels for as long as it can, or has pages of its own.
 * Source: VM_ACCOUNT, mprotect_fixup().
 */
export function isAccounted(vma: Vma, { readOnlyEndsPromise }: PromiseRules): boolean {
  if (hasFlag(vma, VM.SHARED | VM.SPECIAL) || isHugetlb(vma)) return false;
  const isWritable = vma.access === 'write' || vma.access === 'write-only';
  return isWritable || vma.anonVma !== null || vma.object !== null || !readOnlyEndsPromise;
}

type PromiseRules = Pick<KernelFacts, 'readOnlyEndsPromise'>;

/** Offset of a page of the mapping: its index in the object, or in the address space. */
export function offsetOf(vma: Vma, page: number): number {
  return vma.offset + (page - vma.start);
}

/** The range's own policy there: the object's where it keeps one. Source: __get_vma_policy(). */
export function rangePolicyAt(vma: Vma, page: number): Mempolicy | null {
  const { object, policy } = vma;
  return object?.kind.keepsPolicy === true ? object.policy.lookup(offsetOf(vma, page)) : policy;
}

/** Place of a page in interleaving. Source: get_vma_policy(), shmem_get_pgoff_policy(). */
export function interleaveIndexAt(vma: Vma, page: number, hugePageCount = 1): number {
  const { object, offset, start } = vma;
  const base = object?.kind.interleavesByInode === true ? object.inode : 0;
  const pagesBefore = Math.floor((page - start) / hugePageCount);
  return base + Math.floor(offset / hugePageCount) + pagesBefore;
}

/** Cut to a range that lies inside. */
export function cutVma(vma: Vma, start: number, end: number): Vma {
  return { ...vma, start, end, offset: offsetOf(vma, start) };
}

export class AnonVma {
  /** That of the mapping it was forked from; null for a root. */
  readonly parent: AnonVma | null;
  /** Those forked from it and still in use; a root counts itself. */
  childCount: number;
  /** Mappings whose new pages are its own. */
  activeCount = 0;
  /** Mappings that have it in their chain. */
  linkCount = 0;

  constructor(parent: AnonVma | null) {
    this.parent = parent;
    this.childCount = parent === null ? 1 : 0;
    if (parent !== null) parent.childCount += 1;
  }
}

/** A mapping's part in them. */
export interface AnonLinks {
  /** null until a page of its own was written. */
  readonly anonVma: AnonVma | null;
  /** All that its pages may belong to, the oldest first. Invariant: empty without an anonVma. */
  readonly anonChain: readonly AnonVma[];
}

export const NO_ANON: AnonLinks = Object.freeze({ anonVma: null, anonChain: [] });

/** Of a mapping whose pages are all its own. */
export function singleLink(anonVma: AnonVma): AnonLinks {
  return { anonVma, anonChain: [anonVma] };
}

/** Whether its pages may be those of another process, which forked its own. */
export function isForkChild({ anonChain }: AnonLinks): boolean {
  return anonChain.length > 1;
}

/** A mapping with these links begins to exist. */
export function link({ anonVma, anonChain }: AnonLinks): void {
  if (anonVma !== null) anonVma.activeCount += 1;
  for (const one of anonChain) one.linkCount += 1;
}

/** A mapping with these links ends. */
export function unlink({ anonVma, anonChain }: AnonLinks): void {
  if (anonVma !== null) anonVma.activeCount -= 1;
  for (const one of anonChain) {
    one.linkCount -= 1;
    if (one.linkCount === 0 && one.parent !== null) one.parent.childCount -= 1;
  }
}

/** What the child's copy of a mapping has: one of its own, or one that nobody uses any more. */
export function forkLinks({ anonVma, anonChain }: AnonLinks): AnonLinks {
  if (anonVma === null) return NO_ANON;
  const unused = anonChain.find(({ childCount, activeCount }) => childCount < 2 && !activeCount);
  if (unused !== undefined) return { anonVma: unused, anonChain };
  const own = new AnonVma(anonVma);
  return { anonVma: own, anonChain: [...anonChain, own] };
}
