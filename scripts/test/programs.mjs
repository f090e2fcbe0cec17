// @ts-check
// Random programs as a part of the tests: kernels are asked again for some of the answers that are
// kept of them, chosen by the commit. The simulator's suite is compared with all of these.

import { spawnSync } from 'node:child_process';
import { askAgain } from '../differential/ask-again.mjs';
import { buildHarness } from '../differential/bundle.mjs';
import { stop } from '../differential/guest-programs.mjs';
import { projectFolder } from '../guest/host.mjs';
import { kernelLines, prepareKernels } from '../guest/kernel.mjs';
import { runPart } from './part.mjs';
import { resultLine } from './result.mjs';

/**
 * On kernels that can be had.
 * @param {{ signal: AbortSignal, guests: number }} options
 * @returns {Promise<import('./part.mjs').Outcome>}
 */
export function runPrograms({ signal, guests }) {
  const name = 'kept answers';
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
  const there = prepared.flatMap((one) => ('kernel' in one ? [one.kernel] : []));
  const kernels = new Map(there.map(({ line, name }) => [line, name]));
  /** @param {string} text */
  const say = (text) => onStdout(Buffer.from(`${text}\n`));
  const { asked, checkCount, problems } = await askAgain(await buildHarness(), {
    kernels,
    commit: currentCommit(),
    guests,
    say,
  });
  const failures = problems.map((message) => ({ file: 'differential', name: message, message }));
  const passed = { differential: Math.max(0, checkCount - problems.length) };
  const lists = { skips: [], unexpected: [], files: [] };
  const nothing = { ...lists, durations: {} };
  say(resultLine({ passed, ...nothing, failures, isPrivileged: true }));
  return { exitCode: problems.length === 0 ? 0 : 1, note: asked };
}

/** Sources without a history have one sample. */
function currentCommit() {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: projectFolder });
  return stdout?.toString().trim() || 'no commit';
}
