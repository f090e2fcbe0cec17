/**
 * The mappings of an address space, ascending, with the splits and merges that changes of a part
 * cause.
 *
 * Source: mm/vma.c, vma_modify(), vma_merge_new_range() and do_vmi_munmap().
 */

import type { Mempolicy } from '../policy/mempolicy.ts';
import { canMerge, canShareAnonVma, cutVma, mergedVma, type Vma } from './vma.ts';

/** What a change of attributes may set. */
export type VmaChange = Partial<Pick<Vma, 'access' | 'flags' | 'policy' | 'anonVma'>>;

export class VmaSet implements Iterable<Vma> {
  #vmas: Vma[] = [];

  [Symbol.iterator](): Iterator<Vma> {
    return [...this.#vmas][Symbol.iterator]();
  }

  get count(): number {
    return this.#vmas.length;
  }

  /** The first mapping that ends above `page`: the one that holds it, or the next. */
  find(page: number): Vma | undefined {
    return this.#vmas[this.#indexOf(page)];
  }

  /** The mapping that holds `page`. */
  lookup(page: number): Vma | undefined {
    const vma = this.find(page);
    return vma !== undefined && vma.start <= page ? vma : undefined;
  }

  #indexOf(page: number): number {
    let low = 0;
    let high = this.#vmas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#vmas[middle] as Vma).end > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The parts of mappings inside a range, ascending. */
  within(start: number, end: number): Vma[] {
    const parts: Vma[] = [];
    for (let index = this.#indexOf(start); index < this.#vmas.length; index += 1) {
      const vma = this.#vmas[index] as Vma;
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

  /** Adds a mapping behind all others, which stays apart: a child's copies are as the parent's. */
  append(vma: Vma): void {
    this.#vmas.push(vma);
  }

  /** Adds a mapping where there is none, joined with equal neighbours. */
  insert(vma: Vma): void {
    this.#vmas.splice(this.#indexOf(vma.start), 0, vma);
    this.#mergeAround(vma.start, vma.end);
  }

  /** Takes the range out, cutting what reaches beyond it. */
  remove(start: number, end: number): void {
    this.#split(start);
    this.#split(end);
    const first = this.#indexOf(start);
    let last = first;
    while (last < this.#vmas.length && (this.#vmas[last] as Vma).start < end) last += 1;
    this.#vmas.splice(first, last - first);
  }

  /** Changes the mappings inside a range: splits at its ends, merges what has become equal. */
  modify(start: number, end: number, change: VmaChange): void {
    this.#split(start);
    this.#split(end);
    for (let index = this.#indexOf(start); index < this.#vmas.length; index += 1) {
      const vma = this.#vmas[index] as Vma;
      if (vma.start >= end) break;
      this.#vmas[index] = { ...vma, ...change };
    }
    this.#mergeAround(start, end);
  }

  /** Replaces the policy of each mapping that has one. Nothing is joined by it. */
  replacePolicies(replace: (policy: Mempolicy) => Mempolicy | null): void {
    this.#vmas = this.#vmas.map((vma) =>
      vma.policy === null ? vma : { ...vma, policy: replace(vma.policy) },
    );
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
    const index = this.#indexOf(vma.start);
    const whole = this.#vmas[index] as Vma;
    const after = this.#vmas[index + 1];
    const before = this.#vmas[index - 1];
    const shared =
      after !== undefined && after.anonVma !== null && canShareAnonVma(whole, after)
        ? after.anonVma
        : before !== undefined && before.anonVma !== null && canShareAnonVma(before, whole)
          ? before.anonVma
          : {};
    this.#vmas[index] = { ...whole, anonVma: shared };
  }

  /** Makes two mappings of one, though they are alike. */
  cut(page: number): void {
    this.#split(page);
  }

  #split(page: number): void {
    const index = this.#indexOf(page);
    const vma = this.#vmas[index];
    if (vma === undefined || vma.start >= page) return;
    const parts = [cutVma(vma, vma.start, page), cutVma(vma, page, vma.end)];
    this.#vmas.splice(index, 1, ...parts);
  }

  #mergeAround(start: number, end: number): void {
    let index = Math.max(1, this.#indexOf(start));
    while (index < this.#vmas.length) {
      const before = this.#vmas[index - 1] as Vma;
      const after = this.#vmas[index] as Vma;
      if (before.end > end) break;
      if (canMerge(before, after)) this.#vmas.splice(index - 1, 2, mergedVma(before, after));
      else index += 1;
    }
  }
}
