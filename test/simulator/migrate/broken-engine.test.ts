/**
 * The engine broken in one place at a time: random interleavings notice each. What they would not
 * notice they could not promise either.
 */

import { describe, expect, onTestFinished, test } from 'vitest';
import { operations } from '../../../lib/simulator/migrate/operations.ts';
import { interleave } from './interleaving.ts';

const SEEDS_MAX = 400;

/** The first seed that notices, and what it says; undefined where none does. */
function firstNotice(): string | undefined {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const notice = noticeOf(seed);
    if (notice !== undefined) return notice;
  }
  return undefined;
}

/** A broken engine may also run into its own assertions. */
function noticeOf(seed: number): string | undefined {
  try {
    return interleave(seed).failures[0];
  } catch (error) {
    return String(error);
  }
}

type Operations = typeof operations;

/** Replaces one operation until the test has ended. */
function breakOperation<Name extends keyof Operations>(name: Name, broken: Operations[Name]): void {
  const whole = operations[name];
  operations[name] = broken;
  onTestFinished(() => {
    operations[name] = whole;
  });
}

describe('a broken engine is noticed', () => {
  test('references are not counted: pinned pages move', () => {
    breakOperation('extraReferences', () => 0);
    expect(firstNotice()).toMatch(/was held on node/);
  });

  test('a mapping keeps its entry: a write during the copy is lost', () => {
    const { unmap } = operations;
    breakOperation('unmap', (place, item) => {
      // It counts as unmapped all the same.
      if (place.mm !== item.mm) item.folio.mapCount -= place.pageCount;
      else unmap(place, item);
    });
    expect(firstNotice()).toMatch(/is mapped \d+ times|is \d+, not \d+/);
  });

  test('half of a page is not copied', () => {
    const { copy } = operations;
    breakOperation('copy', (item, half) => {
      if (half === 'first') copy(item, half);
    });
    expect(firstNotice()).toMatch(/tail of page \d+ of process \d+ is/);
  });

  test('the object is not told: half of its users see the old page', () => {
    breakOperation('switchMapping', () => undefined);
    expect(firstNotice()).toMatch(/is \d+, not \d+|is nobody's|names folio|is mapped/);
  });

  test('one migration entry stays', () => {
    const { leftEntry } = operations;
    breakOperation('leftEntry', (item) => {
      const place = leftEntry(item);
      return place?.mm === item.mm ? place : undefined;
    });
    expect(firstNotice()).toMatch(/migration entry names folio|nobody moves folio/);
  });

  test('what did not move is not put back', () => {
    breakOperation('putBack', () => undefined);
    expect(firstNotice()).toMatch(/is isolated, by 0 calls/);
  });

  test('pages that were unmapped meanwhile come back', () => {
    const { leftEntry, unmap } = operations;
    const places = new Map<object, Parameters<typeof unmap>[0][]>();
    breakOperation('unmap', (place, item) => {
      places.set(item, [...(places.get(item) ?? []), place]);
      unmap(place, item);
    });
    breakOperation('leftEntry', (item) => places.get(item)?.shift() ?? leftEntry(item));
    expect(firstNotice()).toMatch(
      /has an entry and no mapping|is mapped \d+ times|are free or used/,
    );
  });

  test('a child that was forked meanwhile shares what its parent writes', () => {
    const { copyFlags } = operations;
    breakOperation('copyFlags', (item) => {
      copyFlags(item);
      item.folio.isExclusive = true;
      item.target.isExclusive = true;
    });
    expect(firstNotice()).toMatch(/(head|tail) of page \d+ of process \d+ is \d+, not \d+/);
  });
});
