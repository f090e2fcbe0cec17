// @ts-check
// The part of the harness for every change: some programs on one kernel, twice, in two guests.

import { runJob } from './all-kernels.mjs';
import { buildHarness } from './bundle.mjs';

/**
 * @param {object} options
 * @param {string} options.kernel a line or an image
 * @param {number} [options.programCount]
 * @param {(text: string) => void} options.say
 * @returns {Promise<number>} exit status: 0 when both did the same
 */
export async function checkRepeats({ kernel, programCount = 300, say }) {
  const job = { kernels: [kernel], programCount, seed: 1, without: '', guests: 1, say };
  return runJob(await buildHarness(), job);
}
