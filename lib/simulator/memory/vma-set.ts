/**
 * The mappings of an address space, ascending, with the splits and merges that changes of a part
 * cause.
 *
 * Source: mm/vma.c, vma_modify(), vma_merge_new_range() and do_vmi_munmap().
 */

import type { Mempolicy } from '../policy/mempolicy.ts';
import { SortedSpans, type Span } from './sorted-spans.ts';
import { canMerge, canShareAnonVma, cutVma, mergedVma, type Vma } from './vma.ts';

/** What a change of attributes may set. */
export type VmaChange = Partial<Pick<Vma, 'access' | 'flags' | 'policy' | 'anonVma'>>;

export class VmaSet implements Iterable<Vma> {
  readonly #vmas = new SortedSpans<Vma>();

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
    this.#vmas.set(vma);
  }

  /** Adds a mapping where there is none, joined with equal neighbours. */
  insert(vma: Vma): void {
    this.#vmas.set(vma);
    this.#mergeAround(vma.start, vma.end);
  }

  /** Takes the range out, cutting what reaches beyond it. */
  remove(start: number, end: number): void {
    this.#split(start);
    this.#split(end);
    for (const vma of this.within(start, end)) this.#vmas.delete(vma.start);
  }

  /** Changes the mappings inside a range: splits at its ends, merges what has become equal. */
  modify(start: number, end: number, change: VmaChange): void {
    this.#split(start);
    this.#split(end);
    for (const vma of this.within(start, end)) this.#vmas.set({ ...vma, ...change });
    this.#mergeAround(start, end);
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
  prepareAnonVma(vma: Vma): void {
    if (vma.anonVma !== null) return;
    const whole = this.find(vma.start) as Vma;
    const after = this.find(whole.end);
    const before = this.#vmas.before(whole.start);
    const shared =
      after !== undefined && after.anonVma !== null && canShareAnonVma(whole, after)
        ? after.anonVma
        : before !== undefined && before.anonVma !== null && canShareAnonVma(before, whole)
          ? before.anonVma
          : {};
    this.#vmas.set({ ...whole, anonVma: shared });
  }

  /** Makes two mappings of one, though they are alike. */
  cut(page: number): void {
    this.#split(page);
  }

  #split(page: number): void {
    const vma = this.lookup(page);
    if (vma === undefined || vma.start >= page) return;
    this.#vmas.set(cutVma(vma, vma.start, page));
    this.#vmas.set(cutVma(vma, page, vma.end));
  }

  #mergeAround(start: number, end: number): void {
    let before = this.#vmas.before(start) ?? this.find(start);
    while (before !== undefined && before.end <= end) {
      const after = this.find(before.end);
      if (after !== undefined && canMerge(before, after)) {
        this.#vmas.delete(after.start);
        before = mergedVma(before, after);
        this.#vmas.set(before);
      } else before = after;
    }
  }
}
