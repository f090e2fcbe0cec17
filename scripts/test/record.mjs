// @ts-check
// Writes down what the parts of a run have skipped for, as what is expected of them from now on.

import { readExpectedSkips, withRecorded, writeExpectedSkips } from './expected-skips.mjs';
import { say } from './summary.mjs';

/**
 * A part that failed may have skipped tests for that reason: it is left as it was.
 * @param {import('./part.mjs').Outcome[]} outcomes
 */
export function recordSkips(outcomes) {
  const runs = outcomes.flatMap(
    ({ name, environment = name, isWhole = false, verdict, result }) => {
      if (!result) return [];
      if (verdict === 'ok') return [{ environment, isWhole, ...result }];
      say(`${name} failed: its skips are not recorded`);
      return [];
    },
  );
  writeExpectedSkips(withRecorded(readExpectedSkips(), runs));
  say(`recorded the skips of ${runs.length} environments in test/expected-skips.json`);
}
