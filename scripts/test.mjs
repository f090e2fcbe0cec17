// @ts-check
// npm test: sets up what is missing, runs the suites on this host, then in the QEMU guest where it
// can be had, and ends with the sum. With CI=true there are guests of all machines and of all
// kernels, and one that did not run is a failure.

import { guestAvailability } from './guest/availability.mjs';
import { watchForInterruption } from './guest/interruption.mjs';
import { defaultKernel } from './guest/kernel.mjs';
import { changedFiles, runChanged } from './test/changed.mjs';
import { runChecks } from './test/checks.mjs';
import { ciMatrix, guestsDefault, mainCells, prepareMatrix, runMatrix } from './test/matrix.mjs';
import { runPart } from './test/part.mjs';
import { runPrograms } from './test/programs.mjs';
import { recordSkips } from './test/record.mjs';
import { setUpAsPart } from './test/set-up.mjs';
import { guestPart, hostPart, hostSuitesHere } from './test/suites.mjs';
import { partLines, say, summarize } from './test/summary.mjs';

const usage = `usage: npm test [-- --record-skips | --changed [COMMIT]]

Sets up what is missing and runs all suites, on this host and in the QEMU guest. With CI=true there
are guests of the machines of machines/ on kernel ${defaultKernel} and of all kernels, and \
one that cannot
run is a failure. Whole outputs are kept in .cache/test.

  --record-skips       write what is skipped into test/expected-skips.json
  --changed [COMMIT]   only what a change can affect, in less than two minutes: what differs from
                       the commit; without one what is not committed, or else the last commit
  --help               this text
`;

const isCi = process.env['CI'] === 'true';
const isRecording = process.argv.includes('--record-skips');
const changedAt = process.argv.indexOf('--changed');

/** @typedef {import('./test/part.mjs').Outcome} Outcome */

if (process.argv.includes('--help')) process.stdout.write(usage);
else process.exitCode = await main();

async function main() {
  const startMs = performance.now();
  const { signal, exitCode } = watchForInterruption();
  const outcomes = [await setUpAsPart()];
  if (outcomes[0]?.verdict === 'ok' && changedAt >= 0) {
    const { since, files } = changedFiles(process.argv[changedAt + 1]);
    say(`\n== ${files.length} files changed since ${since}`);
    outcomes.push(...(await runChanged({ signal, files, startMs })));
  } else if (outcomes[0]?.verdict === 'ok') {
    const { environment, suites, obstacle } = await hostSuitesHere();
    const part = { ...hostPart(environment, suites), isWhole: true };
    say(`\n== ${environment}`);
    if (obstacle) say(`not on this kernel: what depends on one, because ${obstacle}`);
    const cells = isCi ? ciMatrix({ isHostDenied: obstacle !== undefined }) : mainCells();
    // Kernels come from the network while the CPUs have tests to run.
    const [host, preparation, ...checks] = await Promise.all([
      runShown(part, signal),
      isCi ? prepareMatrix(cells) : undefined,
      ...(isCi ? [runChecks(signal)] : []),
    ]);
    outcomes.push(host, ...checks);
    for (const outcome of checks) for (const line of partLines(outcome)) say(line);
    if (!signal.aborted) outcomes.push(...(await runGuests(cells, signal, preparation)));
  }
  if (isRecording && !signal.aborted) recordSkips(outcomes);
  const status = summarize(outcomes, (performance.now() - startMs) / 1000);
  return exitCode() ?? status;
}

/**
 * @param {import('./test/part.mjs').Part} part
 * @param {AbortSignal} signal
 */
async function runShown(part, signal) {
  const outcome = await runPart(part, { signal, isRecording, isShown: true });
  for (const line of partLines(outcome)) say(line);
  return outcome;
}

/**
 * @param {import('./test/suites.mjs').Cell[]} cells
 * @param {AbortSignal} signal
 * @param {import('./test/matrix.mjs').Preparation} [preparation] in CI
 * @returns {Promise<Outcome[]>}
 */
async function runGuests(cells, signal, preparation) {
  say('\n== guests');
  if (preparation) {
    const required = [defaultKernel];
    const options = { signal, guests: guestsDefault(), isRecording, required };
    const [outcomes, programs] = await Promise.all([
      runMatrix(cells, { ...options, preparation }),
      runPrograms({ signal, guests: 1 }),
    ]);
    for (const line of partLines(programs)) say(line);
    return [...outcomes, programs];
  }
  const { available, reason, remedy } = guestAvailability();
  if (available) {
    const outcomes = [];
    for (const cell of cells) outcomes.push(await runShown(guestPart(cell), signal));
    return outcomes;
  }
  return [{ name: 'guest', verdict: 'left out', seconds: 0, note: `${reason}; ${remedy}` }];
}
