/**
 * Spans of pages that do not overlap, in order: what looks for one, puts one in or takes one out
 * stays cheap when there are very many, and so does the look for a gap. They are kept in chunks,
 * each of which knows the largest gap inside it.
 *
 * Source: lib/maple_tree.c, mas_empty_area_rev().
 */

export interface Span {
  /** First page number. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** A chunk that has more is cut in halves. */
const CHUNK_SPANS = 256;
const UNKNOWN = -1;

interface SpanChunk<T extends Span> {
  /** Invariant: never empty. */
  spans: T[];
  /** Between two of its spans that follow each other; UNKNOWN after a change. */
  largestGap: number;
}

/** Where a span is. */
interface SpanPlace {
  readonly chunk: number;
  readonly index: number;
}

export class SortedSpans<T extends Span> implements Iterable<T> {
  readonly #chunks: SpanChunk<T>[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** All as they are now, whatever becomes of them meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.#chunks.flatMap(({ spans }) => spans)[Symbol.iterator]();
  }

  /** The first that ends above `page`: the one that holds it, or the next. */
  find(page: number): T | undefined {
    const { chunk, index } = this.#placeOf(page);
    return this.#chunks[chunk]?.spans[index];
  }

  /** The last that starts below `page`. */
  before(page: number): T | undefined {
    const { chunk, index } = this.#placeOf(page);
    const found = this.#chunks[chunk]?.spans[index];
    if (found !== undefined && found.start < page) return found;
    if (index > 0) return this.#chunks[chunk]?.spans[index - 1];
    return this.#chunks[chunk - 1]?.spans.at(-1);
  }

  /** From the first that ends above `page` on, ascending; nobody may change anything meanwhile. */
  *from(page: number): Generator<T> {
    let { chunk, index } = this.#placeOf(page);
    for (; chunk < this.#chunks.length; chunk += 1) {
      const { spans } = this.#chunks[chunk] as SpanChunk<T>;
      for (; index < spans.length; index += 1) yield spans[index] as T;
      index = 0;
    }
  }

  /** Puts a span where there is none, or in place of the one that starts there. */
  set(span: T): void {
    const { chunk, index } = this.#placeOf(span.start);
    // Behind all others there is no chunk yet, but for the last one's end.
    const last = this.#chunks.length - 1;
    const own = this.#chunks[chunk] ?? this.#chunks[last];
    if (own === undefined) {
      this.#chunks.push({ spans: [span], largestGap: UNKNOWN });
      this.#count += 1;
      return;
    }
    const at = chunk > last ? own.spans.length : index;
    const isKnown = own.spans[at]?.start === span.start;
    own.spans.splice(at, Number(isKnown), span);
    own.largestGap = UNKNOWN;
    if (isKnown) return;
    this.#count += 1;
    if (own.spans.length > CHUNK_SPANS) this.#halve(Math.min(chunk, last));
  }

  #halve(chunk: number): void {
    const { spans } = this.#chunks[chunk] as SpanChunk<T>;
    const middle = spans.length >>> 1;
    const halves = [spans.slice(0, middle), spans.slice(middle)];
    const chunks = halves.map((half) => ({ spans: half, largestGap: UNKNOWN }));
    this.#chunks.splice(chunk, 1, ...chunks);
  }

  /** Takes the span out that starts there. */
  delete(start: number): void {
    const { chunk, index } = this.#placeOf(start);
    const own = this.#chunks[chunk];
    if (own?.spans[index]?.start !== start) return;
    own.spans.splice(index, 1);
    own.largestGap = UNKNOWN;
    this.#count -= 1;
    if (own.spans.length === 0) this.#chunks.splice(chunk, 1);
  }

  /** The gaps below `end` that have at least so many pages, the highest first, cut at `end`; the
   *  lowest begins at -Infinity. */
  *gapsBelow(end: number, pageCount: number): Generator<Span> {
    let top = end;
    const { chunk: first } = this.#placeOf(end);
    for (let chunk = Math.min(first, this.#chunks.length - 1); chunk >= 0; chunk -= 1) {
      const own = this.#chunks[chunk] as SpanChunk<T>;
      const isWorthIt = chunk === first || largestGapOf(own) >= pageCount;
      const { spans } = own;
      // A chunk without such a gap has one at most behind its last span.
      const lowest = isWorthIt ? 0 : spans.length - 1;
      for (let index = spans.length - 1; index >= lowest; index -= 1) {
        const span = spans[index] as T;
        if (span.start >= end) continue;
        if (top - span.end >= pageCount) yield { start: span.end, end: top };
        top = span.start;
      }
      if ((spans[0] as T).start < end) top = (spans[0] as T).start;
    }
    yield { start: Number.NEGATIVE_INFINITY, end: top };
  }

  /** Of the first span that ends above `page`; behind all others where there is none. */
  #placeOf(page: number): SpanPlace {
    const chunk = lowerBound(this.#chunks, ({ spans }) => (spans.at(-1) as T).end > page);
    const spans = this.#chunks[chunk]?.spans ?? [];
    return { chunk, index: lowerBound(spans, (span) => span.end > page) };
  }
}

/** The place of the first for which it holds, where it holds for all behind, too. */
export function lowerBound<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function largestGapOf<T extends Span>(chunk: SpanChunk<T>): number {
  if (chunk.largestGap !== UNKNOWN) return chunk.largestGap;
  let largest = 0;
  for (let index = 1; index < chunk.spans.length; index += 1) {
    const { start } = chunk.spans[index] as T;
    largest = Math.max(largest, start - (chunk.spans[index - 1] as T).end);
  }
  chunk.largestGap = largest;
  return largest;
}
