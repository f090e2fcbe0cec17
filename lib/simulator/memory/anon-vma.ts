/**
 * Whose anonymous pages a mapping may have: its own, and those of the processes that its process
 * was forked from. It decides which mappings the kernel may join.
 *
 * Source: include/linux/rmap.h, struct anon_vma and anon_vma_chain; mm/rmap.c, anon_vma_clone(),
 * anon_vma_fork(), __anon_vma_prepare() and unlink_anon_vmas().
 */

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
