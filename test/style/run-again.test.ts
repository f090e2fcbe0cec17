/** A part that failed and ran once more: what runs again, what both come to, what the end says. */

import { describe, expect, test } from 'vitest';
import { bothRuns, filesToRepeat, repeatedSuites } from '../../scripts/test/again.mjs';
import type { Outcome } from '../../scripts/test/part.mjs';
import type { Result } from '../../scripts/test/result.mjs';
import { lastLines } from '../../scripts/test/summary.mjs';

const ONE = 'test/one.test.ts';
const TWO = 'test/two.test.ts';
const NOTHING = { skips: [], failures: [], unexpected: [] };

function resultOf(passed: Record<string, number>, told: Partial<Result> = {}): Result {
  const files = Object.keys(passed);
  return { ...NOTHING, isPrivileged: true, files, passed, durations: {}, ...told };
}

function outcomeOf(verdict: Outcome['verdict'], result?: Result): Outcome {
  return { name: 'a part', verdict, seconds: 2, note: 'somewhere', ...(result ? { result } : {}) };
}

const failure = { file: ONE, name: 'a title', message: 'expected 1 to be 2\nand more' };
const failed = outcomeOf('failed', resultOf({ [ONE]: 3, [TWO]: 5 }, { failures: [failure] }));

describe('a part that failed', () => {
  test('runs its failed files again, with what chose tests in them', () => {
    expect(filesToRepeat(failed)).toEqual([ONE]);
    expect(repeatedSuites(['test', 'more', '-t', 'words'], [ONE])).toEqual([
      ...['test/one.test', '-t', 'words'],
    ]);
  });

  test('runs files again that skipped what they ran before', () => {
    const unexpected = [{ file: TWO, name: 'a title', reason: 'needs more' }];
    expect(filesToRepeat(outcomeOf('failed', resultOf({ [TWO]: 1 }, { unexpected })))).toEqual([
      TWO,
    ]);
  });

  test('runs all of it again where no file is the cause', () => {
    expect(filesToRepeat(outcomeOf('failed'))).toBeUndefined();
    expect(filesToRepeat(outcomeOf('failed', resultOf({ [ONE]: 1 })))).toBeUndefined();
    const failures = [{ ...failure, file: 'outside of a test' }];
    expect(
      filesToRepeat(outcomeOf('failed', resultOf({ [ONE]: 1 }, { failures }))),
    ).toBeUndefined();
    expect(repeatedSuites(['test', '-t', 'words'], undefined)).toEqual(['test', '-t', 'words']);
  });
});

describe('both runs', () => {
  const again = { ...outcomeOf('ok', resultOf({ [ONE]: 4 })), name: 'a part again' };

  test('each file counts once, and what passed only then is a flake', () => {
    const both = bothRuns(failed, again);
    expect(both).toMatchObject({ name: 'a part', verdict: 'ok', seconds: 4, flakes: [failure] });
    expect(both.result?.passed).toEqual({ [ONE]: 4, [TWO]: 5 });
    expect(both.result?.failures).toEqual([]);
  });

  test('what fails twice is a failure', () => {
    const twice = outcomeOf('failed', resultOf({ [ONE]: 3 }, { failures: [failure] }));
    expect(bothRuns(failed, twice)).toMatchObject({ verdict: 'failed', flakes: [] });
    expect(bothRuns(failed, twice).result?.failures).toEqual([failure]);
  });

  test('a second run without a result leaves the failures of the first', () => {
    const both = bothRuns(failed, outcomeOf('failed'));
    expect(both.result?.failures).toEqual([failure]);
    expect(both.flakes).toEqual([]);
  });

  test('a guest that died first is a flake, too', () => {
    expect(bothRuns(outcomeOf('failed'), again).flakes).toEqual([
      { file: 'a part', name: 'the whole run', message: 'somewhere' },
    ]);
  });
});

describe('the last lines', () => {
  test('name what failed and what is a flake, with the first line of each error', () => {
    const again = { ...bothRuns(failed, outcomeOf('ok', resultOf({ [ONE]: 4 }))), name: 'other' };
    const guest = { ...outcomeOf('failed'), name: 'a guest', note: 'it did not start\nat all' };
    const lines = lastLines([failed, again, guest]);
    expect(lines).toEqual([
      `    failed: a part: ${ONE} > a title: expected 1 to be 2`,
      '    failed: a guest: it did not start',
      `    failed first, passed when run again: other: ${ONE} > a title: expected 1 to be 2`,
      '17 passed, 2 failed, 0 skipped',
    ]);
  });
});
