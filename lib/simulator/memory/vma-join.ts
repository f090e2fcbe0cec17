/**
 * Which neighbours a range of addresses is joined with, when it is mapped or its attributes change.
 *
 * Source: mm/vma.c, is_mergeable_vma(), is_mergeable_anon_vma(), vma_merge_existing_range() and
 * vma_merge_new_range(); up to 6.11 mm/mmap.c, vma_merge() and mmap_region().
 */

import type { KernelFacts } from '../../core/kernel-facts.ts';
import { isEqualPolicy } from '../policy/mempolicy.ts';
import { type AnonLinks, isForkChild } from './anon-vma.ts';
import { hasFlag, isAccounted, isHugetlb, offsetOf, VM, type Vma } from './vma.ts';

/** Never joined with a neighbour. Source: VM_SPECIAL. */
const UNMERGEABLE = VM.MIXEDMAP | VM.IO | VM.SPECIAL;

export interface Neighbours {
  readonly before: Vma | undefined;
  readonly after: Vma | undefined;
}

/** What of it depends on the kernel. */
export type JoinRules = Pick<
  KernelFacts,
  'mmapLooksAheadFirst' | 'joinsUntouchedNeighbours' | 'readOnlyEndsPromise'
>;

/** The neighbours that become one mapping with the range. */
export function joinedBy(rules: JoinRules, range: Vma, { before, after }: Neighbours): Neighbours {
  const joinsBefore = before !== undefined && canJoin(rules, before, range, before);
  const joinsAfter = after !== undefined && canJoin(rules, range, after, after);
  // Each may fit the range, and they not each other.
  const isBoth = joinsBefore && joinsAfter && isCompatible(before, after);
  return {
    before: joinsBefore ? before : undefined,
    after: joinsAfter && (!joinsBefore || isBoth) ? after : undefined,
  };
}

/** The same for a range that mmap(2) maps. */
export function joinedByMapping(rules: JoinRules, range: Vma, neighbours: Neighbours): Neighbours {
  if (!rules.mmapLooksAheadFirst) return joinedBy(rules, range, neighbours);
  const { after } = joinedBy(rules, range, { ...neighbours, before: undefined });
  const known = after === undefined ? range : { ...range, ...linksOf(after) };
  const { before } = joinedBy(rules, known, { ...neighbours, after: undefined });
  return { before, after };
}

/** A range and what it is joined with, as one. */
export function joined(range: Vma, { before, after }: Neighbours): Vma {
  const owner = [before, after, range].find((vma) => vma !== undefined && vma.anonVma !== null);
  return {
    ...(before ?? range),
    start: before?.start ?? range.start,
    end: after?.end ?? range.end,
    offset: before?.offset ?? range.offset,
    ...linksOf(owner ?? range),
  };
}

function linksOf({ anonVma, anonChain }: AnonLinks): AnonLinks {
  return { anonVma, anonChain };
}

function canJoin(rules: JoinRules, lower: Vma, upper: Vma, neighbour: Vma): boolean {
  const range = neighbour === lower ? upper : lower;
  return isAlike(rules, lower, upper) && maySharePages(rules, range, neighbour);
}

function isAlike(rules: JoinRules, lower: Vma, upper: Vma): boolean {
  if (lower.end !== upper.start || lower.object !== upper.object) return false;
  if (lower.access !== upper.access || lower.flags !== upper.flags) return false;
  if (hasFlag(lower, UNMERGEABLE) || isHugetlb(lower)) return false;
  if (isAccounted(lower, rules) !== isAccounted(upper, rules)) return false;
  return offsetOf(lower, lower.end) === upper.offset && isEqualPolicy(lower.policy, upper.policy);
}

/** Mappings of a child whose pages may be its parent's are joined with their like alone. */
function maySharePages(
  { joinsUntouchedNeighbours }: JoinRules,
  range: Vma,
  neighbour: Vma,
): boolean {
  if (range.anonVma === neighbour.anonVma) return true;
  if (range.anonVma !== null && neighbour.anonVma !== null) return false;
  if (neighbour.anonVma === null) return joinsUntouchedNeighbours && !isForkChild(range);
  return !isForkChild(neighbour);
}

function isCompatible({ anonVma: one }: Vma, { anonVma: other }: Vma): boolean {
  return one === null || other === null || one === other;
}

/** Whether a page written in one may count as the other's. Source: anon_vma_compatible(). */
export function canShareAnonVma(lower: Vma, upper: Vma): boolean {
  if (lower.end !== upper.start || lower.object !== upper.object) return false;
  if (lower.flags !== upper.flags || !isEqualPolicy(lower.policy, upper.policy)) return false;
  return offsetOf(lower, lower.end) === upper.offset;
}
