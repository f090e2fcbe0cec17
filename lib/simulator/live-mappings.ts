/**
 * Mappings whose bytes JavaScript has, and buffers of the engine that were looked at: which of them
 * may have pages that are not present.
 */

import { SortedSpans, type Span } from '../core/sorted-spans.ts';
import type { LiveSpan } from './viewed-buffers.ts';

/** Pages of a mapping: `[first, end)`, counted from its first. */
export type PageRun = readonly [first: number, end: number];

/** One of which not all pages are present. */
export interface Unsettled extends Span {
  readonly mapped: LiveSpan;
  /** Its pages that are absent. Null: to be looked for. */
  absent: readonly PageRun[] | null;
}

export class LiveMappings {
  readonly #all = new SortedSpans<LiveSpan>();
  readonly #unsettled = new SortedSpans<Unsettled>();
  /** At least as many as may be absent. */
  #unsettledPages = 0;

  get unsettledPages(): number {
    return this.#unsettledPages;
  }

  add(mapped: LiveSpan): void {
    if (this.#all.find(mapped.start) === mapped) return;
    this.#all.set(mapped);
    this.#unsettle(mapped);
  }

  delete({ start }: LiveSpan): void {
    this.#all.delete(start);
    this.#settled(start);
  }

  /** Those whose pages may not all be present, ascending; of all, or meeting a span. */
  unsettled(span: Span | undefined): Unsettled[] {
    if (span === undefined) return [...this.#unsettled];
    const found: Unsettled[] = [];
    for (const unsettled of this.#unsettled.from(span.start)) {
      if (unsettled.start >= span.end) break;
      found.push(unsettled);
    }
    return found;
  }

  /** All pages are present: what is written from now on needs no look. */
  settled({ start }: Unsettled): void {
    this.#settled(start);
  }

  #settled(start: number): void {
    const known = this.#unsettled.find(start);
    if (known?.start !== start) return;
    this.#unsettled.delete(start);
    this.#unsettledPages -= known.end - start;
  }

  /** Pages from `start` up to `end`, exclusive, may have gone. */
  unsettle(start: number, end: number): void {
    for (const mapped of this.#all.from(start)) {
      if (mapped.start >= end) break;
      this.#unsettle(mapped);
    }
  }

  /** Pages from `start` up to `end`, exclusive, have come. */
  lookAgain(start: number, end: number): void {
    for (const unsettled of this.#unsettled.from(start)) {
      if (unsettled.start >= end) break;
      unsettled.absent = null;
    }
  }

  #unsettle(mapped: LiveSpan): void {
    const { start, end } = mapped;
    const known = this.#unsettled.find(start);
    if (known?.mapped === mapped) {
      known.absent = null;
      return;
    }
    this.#unsettled.set({ start, end, mapped, absent: null });
    this.#unsettledPages += end - start;
  }
}
