/**
 * What pages had before each of those who gave them a policy, one above the other: whoever lets go
 * puts back what was there before him, or, where others came later, leaves that to the next above.
 * So the last one leaves what was there before the first, in whatever order they go.
 */

import type { Backend, GetMempolicyValue, PageSpan } from '../../backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../../backend/syscall-result.ts';
import { SortedSpans, type Span } from '../../core/sorted-spans.ts';
import { isSamePolicy, type PolicyPart, policiesOf, restorePolicy } from './policy-parts.ts';

/** One who has given pages a policy, and what they had before. */
interface Layer {
  readonly holder: object;
  readonly before: GetMempolicyValue;
}

type Layers = readonly Layer[];

/** Pages in a row with the same layers, the latest last. */
interface LayeredSpan extends Span {
  readonly layers: Layers;
}

/** A backend's memory is that of all who have this backend. */
const ofBackends = new WeakMap<Backend, PolicyLayers>();

export function layersOf(backend: Backend): PolicyLayers {
  const known = ofBackends.get(backend);
  if (known !== undefined) return known;
  const layers = new PolicyLayers(backend);
  ofBackends.set(backend, layers);
  return layers;
}

export class PolicyLayers {
  readonly #backend: Backend;
  /** Invariant: each has layers, and others than one that begins where it ends. */
  readonly #spans = new SortedSpans<LayeredSpan>();

  /** @internal Use `layersOf()`. */
  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** How many stretches of pages differ. */
  get count(): number {
    return this.#spans.count;
  }

  /** Before a holder sets a policy: keeps what pages have that another has set, or nobody. */
  push(holder: object, range: PageSpan): SyscallResult<undefined> {
    for (const span of this.#within(this.#pagesOf(range))) {
      if (span.layers.at(-1)?.holder === holder) continue;
      const found = policiesOf(this.#backend, this.#rangeOf(span));
      if (!found.ok) return found;
      for (const part of found.value) {
        const layer = { holder, before: part.policy };
        this.#change(this.#pagesOf(part), (layers) => [...without(layers, holder), layer]);
      }
    }
    return { ok: true, value: undefined };
  }

  /** Puts back what pages had where nobody has come later. What is refused is kept, to be tried
   *  again; the answer is the first refusal. */
  pop(holder: object, range: PageSpan): SyscallFailure | undefined {
    const pages = this.#pagesOf(range);
    this.#change(pages, (layers) =>
      layers.at(-1)?.holder === holder ? layers : without(layers, holder),
    );
    let refused = this.#putBack(holder, pages);
    // For want of mappings, say: what was put back has joined some.
    while (refused.first !== undefined && refused.putBack > 0) {
      refused = this.#putBack(holder, pages);
    }
    return refused.first;
  }

  /** The pages are somebody else's now. */
  drop(holder: object, range: PageSpan): void {
    this.#change(this.#pagesOf(range), (layers) =>
      layers.filter((layer) => layer.holder !== holder),
    );
  }

  #putBack(
    holder: object,
    pages: Span,
  ): { readonly first: SyscallFailure | undefined; readonly putBack: number } {
    let first: SyscallFailure | undefined;
    let putBack = 0;
    for (const part of this.#partsOf(holder, pages)) {
      const result = restorePolicy(this.#backend, part);
      if (!result.ok) first ??= result;
      else {
        putBack += 1;
        this.#change(this.#pagesOf(part), (layers) => without(layers, holder));
      }
    }
    return { first, putBack };
  }

  /** What the holder is to put back, in as few parts as there can be. */
  #partsOf(holder: object, pages: Span): PolicyPart[] {
    const parts: PolicyPart[] = [];
    let end = -1;
    for (const span of this.#within(pages)) {
      const top = span.layers.at(-1);
      if (top?.holder !== holder) continue;
      const { address, pageCount } = this.#rangeOf(span);
      const last = parts.at(-1);
      if (last !== undefined && end === span.start && isSamePolicy(last.policy, top.before)) {
        parts[parts.length - 1] = { ...last, pageCount: last.pageCount + pageCount };
      } else parts.push({ address, pageCount, policy: top.before });
      end = span.end;
    }
    return parts;
  }

  /** All pages of a range, cut to it, with their layers: none where nobody has set a policy. */
  #within({ start, end }: Span): LayeredSpan[] {
    const found: LayeredSpan[] = [];
    let at = start;
    if (start === end) return found;
    for (const span of this.#spans.from(start)) {
      if (span.start >= end) break;
      if (span.start > at) found.push({ start: at, end: span.start, layers: [] });
      const first = Math.max(span.start, start);
      at = Math.min(span.end, end);
      found.push({ start: first, end: at, layers: span.layers });
    }
    if (at < end) found.push({ start: at, end, layers: [] });
    return found;
  }

  #change(pages: Span, change: (layers: Layers) => Layers): void {
    const { start, end } = pages;
    // With all of the neighbours, which may be alike afterwards.
    const below = this.#spans.find(start - 1);
    const behind = this.#spans.find(end);
    const around = {
      start: below === undefined ? start : Math.min(below.start, start),
      end: behind === undefined || behind.start > end ? end : behind.end,
    };
    const pieces: LayeredSpan[] = [];
    const add = (piece: LayeredSpan): void => {
      const before = pieces.at(-1);
      if (before !== undefined && before.end === piece.start && isAlike(before, piece)) {
        pieces[pieces.length - 1] = { ...before, end: piece.end };
      } else pieces.push(piece);
    };
    for (const piece of this.#within({ start: around.start, end: start })) add(piece);
    for (const piece of this.#within(pages)) add({ ...piece, layers: change(piece.layers) });
    for (const piece of this.#within({ start: end, end: around.end })) add(piece);
    for (const span of this.#within(around)) this.#spans.delete(span.start);
    for (const piece of pieces) if (piece.layers.length > 0) this.#spans.set(piece);
  }

  #pagesOf({ address, pageCount }: PageSpan): Span {
    const start = Number(address / BigInt(this.#backend.pageSizeBytes));
    return { start, end: start + pageCount };
  }

  #rangeOf({ start, end }: Span): PageSpan {
    const address = BigInt(start) * BigInt(this.#backend.pageSizeBytes);
    return { address, pageCount: end - start };
  }
}

function isAlike(one: LayeredSpan, other: LayeredSpan): boolean {
  return (
    one.layers.length === other.layers.length &&
    one.layers.every(({ holder, before }, index) => {
      const layer = other.layers[index] as Layer;
      return holder === layer.holder && isSamePolicy(before, layer.before);
    })
  );
}

/** The layer above has what the holder had before. */
function without(layers: Layers, holder: object): Layers {
  const at = layers.findIndex((layer) => layer.holder === holder);
  const own = layers[at];
  if (own === undefined) return layers;
  return layers.flatMap((layer, index) => {
    if (index === at) return [];
    return index === at + 1 ? [{ ...layer, before: own.before }] : [layer];
  });
}
