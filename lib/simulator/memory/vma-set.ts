/**
 * The mappings of an address space, ascending, with the splits and merges that changes of a part
 * cause: which neighbours a range is joined with, when it is mapped or its attributes change.
 *
 * Source: mm/vma.c, vma_modify(), vma_merge_new_range(), vma_merge_existing_range(),
 * do_vmi_munmap(), is_mergeable_vma() and is_mergeable_anon_vma(); up to 6.11 mm/mmap.c,
 * vma_merge() and mmap_region().
 */

import type { KernelFacts } from '../../core/kernel-facts.ts';
import { SortedSpans, type Span } from '../../core/sorted-spans.ts';
import { isEqualPolicy, type Mempolicy } from '../policy/mempolicy.ts';
import {
  type AnonLinks,
  AnonVma,
  cutVma,
  hasFlag,
  isAccounted,
  isForkChild,
  isHugetlb,
  link,
  offsetOf,
  singleLink,
  unlink,
  VM,
  type Vma,
} from './vma.ts';

/** What a change of attributes may set. */
export type VmaChange = Partial<Pick<Vma, 'access' | 'flags' | 'policy'>>;

export class VmaSet implements Iterable<Vma> {
  readonly #vmas = new SortedSpans<Vma>();
  readonly #rules: JoinRules;

  constructor(rules: JoinRules) {
    this.#rules = rules;
  }

  /** All as they are now, whatever becomes of them meanwhile. */
  [Symbol.iterator](): Iterator<Vma> {
    return this.#vmas[Symbol.iterator]();
  }

  get count(): number {
    return this.#vmas.count;
  }

  /** The first mapping that ends above `page`: the one that holds it, or the next. */
  find(page: number): Vma | undefined {
    return this.#vmas.find(page);
  }

  /** The mapping that holds `page`. */
  lookup(page: number): Vma | undefined {
    const vma = this.find(page);
    return vma !== undefined && vma.start <= page ? vma : undefined;
  }

  /** From the one that `find` has on, ascending; nobody may change a mapping meanwhile. */
  from(page: number): Iterable<Vma> {
    return this.#vmas.from(page);
  }

  /** The parts of mappings inside a range, ascending. */
  within(start: number, end: number): Vma[] {
    const parts: Vma[] = [];
    for (const vma of this.#vmas.from(start)) {
      if (vma.start >= end) break;
      parts.push(cutVma(vma, Math.max(vma.start, start), Math.min(vma.end, end)));
    }
    return parts;
  }

  /** Whether every page of the range is mapped. */
  covers(start: number, end: number): boolean {
    let page = start;
    for (const part of this.within(start, end)) {
      if (part.start !== page) return false;
      page = part.end;
    }
    return page === end;
  }

  /** Room below `end`, the highest first. */
  gapsBelow(end: number, pageCount: number): Iterable<Span> {
    return this.#vmas.gapsBelow(end, pageCount);
  }

  /** Adds a mapping behind all others, which stays apart: a child's copies are as the parent's. */
  append(vma: Vma): void {
    this.#replace([], [vma]);
  }

  /** Adds a mapping where there is none, joined with its neighbours where the kernel does that. */
  insert(vma: Vma, { isNew }: { readonly isNew: boolean }): void {
    const neighbours = this.#neighboursOf(vma);
    const found = (isNew ? joinedByMapping : joinedBy)(this.#rules, vma, neighbours);
    this.#replace(vmasOf(found), [joined(vma, found)]);
  }

  /** Takes the range out, cutting what reaches beyond it. */
  remove(start: number, end: number): void {
    for (const part of this.within(start, end)) {
      const whole = this.find(part.start) as Vma;
      this.#replace([whole], remainders(whole, part));
    }
  }

  /** Changes part of one mapping, or all of it: it is cut at the ends, or joins a neighbour. */
  modify(start: number, end: number, change: VmaChange): void {
    const whole = this.find(start) as Vma;
    const range = { ...cutVma(whole, start, end), ...change };
    const { before, after } = this.#neighboursOf(whole);
    const found = joinedBy(this.#rules, range, {
      before: start === whole.start ? before : undefined,
      after: end === whole.end ? after : undefined,
    });
    const parts = [...remainders(whole, range), joined(range, found)];
    this.#replace([whole, ...vmasOf(found)], parts);
  }

  /** Replaces the policy of each mapping that has one. Nothing is joined by it. */
  replacePolicies(replace: (policy: Mempolicy) => Mempolicy | null): void {
    for (const vma of this) {
      if (vma.policy !== null) this.#vmas.set({ ...vma, policy: replace(vma.policy) });
    }
  }

  /** How many more mappings there would be after a change of the range. */
  splitsFor(start: number, end: number): number {
    const isInside = (page: number): boolean => {
      const vma = this.lookup(page);
      return vma !== undefined && vma.start < page;
    };
    return Number(isInside(start)) + Number(isInside(end));
  }

  /** Marks a mapping as having pages of its own. Source: mm/rmap.c, __anon_vma_prepare(). */
  prepareAnonVma({ start }: Vma): void {
    const whole = this.find(start) as Vma;
    if (whole.anonVma !== null) return;
    const { before, after } = this.#neighboursOf(whole);
    const shared =
      reusable(after, after !== undefined && canShareAnonVma(whole, after)) ??
      reusable(before, before !== undefined && canShareAnonVma(before, whole));
    this.#replace([whole], [{ ...whole, ...singleLink(shared ?? new AnonVma(null)) }]);
  }

  /** Makes two mappings of one, though they are alike. */
  cut(page: number): void {
    const vma = this.lookup(page);
    if (vma === undefined || vma.start >= page) return;
    this.#replace([vma], [cutVma(vma, vma.start, page), cutVma(vma, page, vma.end)]);
  }

  #neighboursOf({ start, end }: Vma): Neighbours {
    const before = this.#vmas.before(start);
    const after = this.find(end);
    return {
      before: before?.end === start ? before : undefined,
      after: after?.start === end ? after : undefined,
    };
  }

  /** What is shared with others is not given up between. */
  #replace(old: readonly Vma[], fresh: readonly Vma[]): void {
    for (const vma of fresh) link(vma);
    for (const vma of old) {
      unlink(vma);
      this.#vmas.delete(vma.start);
    }
    for (const vma of fresh) this.#vmas.set(vma);
  }
}

function vmasOf({ before, after }: Neighbours): Vma[] {
  return [before, after].filter((vma) => vma !== undefined);
}

/** What is left of a mapping when a range inside is taken out. */
function remainders(whole: Vma, { start, end }: Span): Vma[] {
  return [
    ...(start > whole.start ? [cutVma(whole, whole.start, start)] : []),
    ...(end < whole.end ? [cutVma(whole, end, whole.end)] : []),
  ];
}

/** A neighbour's, where all its pages are its own. Source: reusable_anon_vma(). */
function reusable(neighbour: Vma | undefined, isCompatible: boolean): AnonVma | undefined {
  if (neighbour === undefined || !isCompatible || isForkChild(neighbour)) return undefined;
  return neighbour.anonVma ?? undefined;
}

/** Never joined with a neighbour. Source: VM_SPECIAL. */
const UNMERGEABLE = VM.MIXEDMAP | VM.IO | VM.SPECIAL;

interface Neighbours {
  readonly before: Vma | undefined;
  readonly after: Vma | undefined;
}

/** What of it depends on the kernel. */
type JoinRules = Pick<
  KernelFacts,
  'mmapLooksAheadFirst' | 'joinsUntouchedNeighbours' | 'readOnlyEndsPromise'
>;

/** The neighbours that become one mapping with the range. */
function joinedBy(rules: JoinRules, range: Vma, { before, after }: Neighbours): Neighbours {
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
function joinedByMapping(rules: JoinRules, range: Vma, neighbours: Neighbours): Neighbours {
  if (!rules.mmapLooksAheadFirst) return joinedBy(rules, range, neighbours);
  const { after } = joinedBy(rules, range, { ...neighbours, before: undefined });
  const known = after === undefined ? range : { ...range, ...linksOf(after) };
  const { before } = joinedBy(rules, known, { ...neighbours, after: undefined });
  return { before, after };
}

/** A range and what it is joined with, as one. */
function joined(range: Vma, { before, after }: Neighbours): Vma {
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
function canShareAnonVma(lower: Vma, upper: Vma): boolean {
  if (lower.end !== upper.start || lower.object !== upper.object) return false;
  if (lower.flags !== upper.flags || !isEqualPolicy(lower.policy, upper.policy)) return false;
  return offsetOf(lower, lower.end) === upper.offset;
}
