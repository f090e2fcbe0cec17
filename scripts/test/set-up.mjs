// @ts-check
// The set-up as the first part of a test run: it has a time and a verdict like the others.

import { setUp } from '../setup.mjs';
import { say } from './summary.mjs';

/** @returns {Promise<import('./part.mjs').Outcome>} */
export async function setUpAsPart() {
  say('== set-up');
  const startMs = performance.now();
  /** @type {(verdict: 'ok' | 'failed') => import('./part.mjs').Outcome} */
  const outcome = (verdict) => {
    return { name: 'set-up', verdict, seconds: (performance.now() - startMs) / 1000, note: '' };
  };
  try {
    await setUp();
    return outcome('ok');
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return outcome('failed');
  }
}
