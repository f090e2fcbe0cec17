// @ts-check
// Writes down what the parts of a run have skipped for, as what is expected of them from now on.

import {
  readExpectedSkips,
  recordable,
  withRecorded,
  writeExpectedSkips,
} from './expected-skips.mjs';
import { say } from './summary.mjs';

/** @param {import('./part.mjs').Outcome[]} outcomes */
export function recordSkips(outcomes) {
  for (const { name, verdict } of outcomes) {
    if (verdict === 'failed') say(`${name} failed: its skips are not recorded`);
  }
  const runs = recordable(outcomes);
  writeExpectedSkips(withRecorded(readExpectedSkips(), runs));
  say(`recorded the skips of ${runs.length} parts in test/expected-skips.json`);
}
