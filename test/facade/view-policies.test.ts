/** Policies of views: of many small ranges, of views that overlap, and how they are put back. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Backend,
  bind,
  interleave,
  local,
  type MemoryPolicy,
  type MemoryView,
  openNuma,
  preferred,
} from '../../lib/index.ts';
import { ERRNO } from '../../lib/syscalls/public.ts';
import { failureOf } from '../core/thrown.ts';
import { firstNode, isExpendable, memoryNodes, numa } from './machine.ts';
import { PAGE } from './placed-buffer.ts';
import { openBackend } from './subject.ts';

const otherNode = memoryNodes[1] ?? firstNode;
const POLICIES: readonly MemoryPolicy[] = [
  bind(firstNode),
  bind(otherNode),
  interleave('all'),
  preferred(firstNode),
  local(),
];

const policy = fc.constantFrom(...POLICIES);

/** Fresh memory of the engine's, with pages of its own. */
function freshBytes(pageCount: number): Uint8Array {
  const lengthBytes = (pageCount + 1) * PAGE;
  const memory = new SharedArrayBuffer(lengthBytes, { maxByteLength: lengthBytes });
  using whole = numa.view(memory);
  return new Uint8Array(memory, whole.edges.leadingBytes, pageCount * PAGE);
}

const pagesOf = (bytes: Uint8Array, first: number, count: number): Uint8Array =>
  bytes.subarray(first * PAGE, (first + count) * PAGE);

/** How many areas the range is. */
function areasOf({ address, pageCount }: MemoryView): number {
  const found = openBackend().maps({ address, pageCount });
  return found.ok ? found.value.length : Number.NaN;
}

const policiesOf = (view: MemoryView): string[] =>
  Array.from(
    { length: view.pageCount },
    (_, page) => `${view.policy({ offsetBytes: page * PAGE })}`,
  );

describe('small ranges of a view', () => {
  /** Emulated CPUs take twenty times as long. */
  const RANGES = isExpendable ? 400 : 10_000;
  const onePage = (page: number) => ({ offsetBytes: page * PAGE, lengthBytes: PAGE });

  test('by the thousand are put back as the one area that they were', () => {
    const bytes = freshBytes(RANGES);
    using whole = numa.view(bytes);
    const before = areasOf(whole);
    const view = numa.view(bytes);
    for (let page = 0; page < RANGES; page += 1) {
      view.setPolicy(page % 2 === 0 ? local() : interleave('all'), onePage(page));
    }
    expect(areasOf(whole)).toBeGreaterThanOrEqual(RANGES);
    view.release();
    expect(areasOf(whole)).toBe(before);
    const modes = [0, 1, RANGES - 1].map((page) => whole.policy({ offsetBytes: page * PAGE }).mode);
    expect(modes).toEqual(['default', 'default', 'default']);
  });

  test('are one area where their policy is the same', () => {
    using view = numa.view(freshBytes(RANGES / 10));
    const before = areasOf(view);
    for (let page = 0; page < RANGES / 10; page += 1) {
      view.setPolicy(bind(firstNode), onePage(page));
      if (page % 100 === 1) expect(areasOf(view)).toBeLessThanOrEqual(before + 1);
    }
    expect(areasOf(view)).toBeLessThanOrEqual(before + 1);
  });
});

describe('views that overlap', () => {
  const PAGES = 24;
  const span = fc
    .tuple(fc.nat(PAGES - 1), fc.nat(PAGES - 1))
    .map(([a, b]) => ({ first: Math.min(a, b), count: Math.abs(a - b) + 1 }));
  const step = fc.oneof(
    { arbitrary: fc.record({ kind: fc.constant('open' as const), span }), weight: 2 },
    {
      arbitrary: fc.record({ kind: fc.constant('set' as const), which: fc.nat(9), span, policy }),
      weight: 4,
    },
    { arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(9) }), weight: 2 },
  );

  /** A view, and what it has set: the later of two of these is of the later call. */
  interface Opened {
    readonly view: MemoryView;
    readonly first: number;
    readonly set: Map<number, { readonly text: string; readonly time: number }>;
  }

  test('leave each page the latest policy of those that live, at last the one of before', () => {
    const property = fc.property(
      fc.array(fc.tuple(span, policy), { maxLength: 3 }),
      fc.array(step, { maxLength: 20 }),
      (bases, steps) => {
        const bytes = freshBytes(PAGES);
        const base = numa.view(bytes);
        for (const [{ first, count }, own] of bases) {
          base.setPolicy(own, { offsetBytes: first * PAGE, lengthBytes: count * PAGE });
        }
        const before = policiesOf(base);
        const opened: Opened[] = [];
        const expectLatest = (): void => {
          const expected = before.map((text, page) => {
            const set = opened.flatMap((one) => one.set.get(page) ?? []);
            return set.sort((a, b) => b.time - a.time)[0]?.text ?? text;
          });
          expect(policiesOf(base)).toEqual(expected);
        };
        steps.forEach((next, time) => {
          if (next.kind === 'open') {
            const { first, count } = next.span;
            opened.push({ view: numa.view(pagesOf(bytes, first, count)), first, set: new Map() });
            return;
          }
          const [one] = opened.splice(next.which % Math.max(1, opened.length), 1);
          if (one === undefined) return;
          if (next.kind === 'end') {
            one.view.release();
          } else {
            opened.push(one);
            const offset = next.span.first % one.view.pageCount;
            const count = Math.min(next.span.count, one.view.pageCount - offset);
            const range = { offsetBytes: offset * PAGE, lengthBytes: count * PAGE };
            one.view.setPolicy(next.policy, range);
            for (let page = one.first + offset; page < one.first + offset + count; page += 1) {
              one.set.set(page, {
                text: `${one.view.policy({ offsetBytes: offset * PAGE })}`,
                time,
              });
            }
          }
          expectLatest();
        });
        for (const { view } of opened.splice(0)) view.release();
        expectLatest();
        base.release();
        const fresh = numa.view(bytes);
        expect(new Set(policiesOf(fresh))).toEqual(new Set(['default']));
      },
    );
    fc.assert(property, { numRuns: isExpendable ? 10 : 100 });
  });

  test('of two that one Numa each has are put back alike', () => {
    const bytes = freshBytes(4);
    const others = openNuma({ backend: openBackend() });
    const [first, second] = [numa.view(bytes), others.view(bytes)];
    first.setPolicy(local());
    second.setPolicy(interleave('all'));
    first.release();
    expect(numa.view(bytes).policy().mode).toBe('interleave');
    second.release();
    expect(numa.view(bytes).policy().mode).toBe('default');
  });
});

describe('where a process may have no more areas', () => {
  /** Refuses mbind, as the kernel does, for a while. */
  function limited(inner: Backend, limit: { areas: number }): Backend {
    const refused = { ok: false, syscall: 'mbind', errno: ERRNO.ENOMEM } as const;
    const mbind: Backend['mbind'] = (request) => {
      limit.areas -= 1;
      return limit.areas < 0 ? refused : inner.mbind(request);
    };
    return new Proxy(inner, {
      get: (target, name) => {
        if (name === 'mbind') return mbind;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  test('earlier ranges keep their policy, and a refused release is done by the next', async () => {
    const bytes = freshBytes(8);
    const limit = { areas: 3 };
    const view = openNuma({ backend: limited(openBackend(), limit) }).view(bytes);
    const set = (page: number) =>
      view.setPolicy(page % 2 === 0 ? local() : interleave('all'), {
        offsetBytes: page * PAGE,
        lengthBytes: PAGE,
      });
    for (const page of [0, 1, 2]) set(page);
    const { code, error } = await failureOf(() => set(3));
    expect([code, error.syscall]).toEqual(['NUMA_OUT_OF_MEMORY', 'mbind']);
    using all = numa.view(bytes);
    const modes = () => policiesOf(all).map((text) => text.split(':')[0]);
    const isSet = ['local', 'interleave', 'local', 'default'];
    expect(modes().slice(0, 4)).toEqual(isSet);
    expect((await failureOf(() => view.release())).code).toBe('NUMA_OUT_OF_MEMORY');
    expect([view.isReleased, modes().slice(0, 4)]).toEqual([true, isSet]);
    limit.areas = 100;
    view.release();
    expect(new Set(modes())).toEqual(new Set(['default']));
  });
});
