// @ts-check
// Random programs as a part of the tests: each kernel runs them once, neighbouring kernels differ
// only as known, and the simulator does what each of them did.

import { runJob } from '../differential/all-kernels.mjs';
import { buildHarness } from '../differential/bundle.mjs';
import { stop } from '../differential/guest-programs.mjs';
import { kernelLines, prepareKernels } from '../guest/kernel.mjs';
import { runPart } from './part.mjs';
import { resultLine } from './result.mjs';

const programCount = 400;
/** Of them with groups; each takes as long as four others. */
const groupCount = 20;

/**
 * On every kernel that can be had.
 * @param {{ signal: AbortSignal, guests: number }} options
 * @returns {Promise<import('./part.mjs').Outcome>}
 */
export function runPrograms({ signal, guests }) {
  const name = `${programCount} programs`;
  return runPart({ name, environment: name, run: (work) => run(guests, work) }, { signal });
}

/**
 * @param {number} guests
 * @param {import('./part.mjs').Work} work
 * @returns {Promise<import('./part.mjs').Ending>}
 */
async function run(guests, { onStdout, signal }) {
  signal.addEventListener('abort', () => stop.abort());
  const prepared = await prepareKernels([...kernelLines.keys()]);
  const kernels = prepared.filter((entry) => !('obstacle' in entry)).map(({ line }) => line);
  /** @param {string} text */
  const say = (text) => onStdout(Buffer.from(`${text}\n`));
  const programs = { programCount, groupCount, seed: 1, without: '' };
  const job = { kernels, ...programs, times: /** @type {const} */ (1), guests, say };
  const { checkCount, problems } = await runJob(await buildHarness(), {
    ...job,
    withSimulator: true,
  });
  const failures = problems.map((message) => ({ file: 'differential', name: message, message }));
  const passed = { differential: checkCount - problems.length };
  const lists = { skips: [], unexpected: [], unskipped: [], absent: [], files: [] };
  const nothing = { ...lists, durations: {} };
  say(resultLine({ passed, ...nothing, failures, isPrivileged: true }));
  return {
    exitCode: problems.length === 0 ? 0 : 1,
    note: `kernels ${kernels.join(', ')} and the simulator`,
  };
}
