// @ts-check
// npm run test:kernels: each machine of machines/ that a guest can be, with every kernel.

import { parseArgs } from 'node:util';
import { watchForInterruption } from './guest/interruption.mjs';
import { kernelLines, prepareKernels } from './guest/kernel.mjs';
import { guestMachineNames } from './guest/machine.mjs';
import { KeptOutcomes, stateOf } from './test/kept.mjs';
import { guestsDefault, runMatrix, wholeMatrix } from './test/matrix.mjs';
import { recordSkips } from './test/record.mjs';
import { setUpAsPart } from './test/set-up.mjs';
import { say, summarize } from './test/summary.mjs';

const allKernels = [...kernelLines.keys()];
const allMachines = guestMachineNames();

const usage = `usage: npm run test:kernels [-- options]

Runs the suites that depend on a kernel in guests: each machine with each kernel. A kernel that
cannot be had is left out; fewer than two are a failure. Whole outputs are kept in .cache/test.
A run that was interrupted, or had failures, goes on with --resume: what passed for the same files
is not run again, and is in the sum.

  --kernel LINE    only this one; repeatable. ${allKernels.join(', ')}
  --machine NAME   only this one; repeatable. A file of machines/, without .json
  --guests N       guests at a time (default here: ${guestsDefault()})
  --resume         only what has not passed yet for the files as they are now
  --fetch          only bring the kernels into the cache, for runs without a network
  --record-skips   write what is skipped into test/expected-skips.json
  --help           this text

Exit status: 0 all passed, 1 something failed, 2 bad usage, 128 + n ended by signal n.
`;

process.exitCode = await main();

async function main() {
  const options = readOptions();
  if (typeof options === 'number') return options;
  if (options.isFetching) return fetchKernels(options.kernels);
  const startMs = performance.now();
  const { signal, exitCode } = watchForInterruption();
  const { machines, kernels, ...settings } = options;
  const kept = keptOutcomes(settings.isRecording);
  if (settings.isResumed && !kept) {
    say('--resume needs a clone of the project that git knows; run without it');
    return 2;
  }
  const outcomes = [await setUpAsPart()];
  if (outcomes[0]?.verdict === 'ok') {
    outcomes.push(
      ...(await runMatrix(wholeMatrix({ machines, kernels }), { ...settings, signal, kept })),
    );
  }
  if (settings.isRecording && !signal.aborted) recordSkips(outcomes);
  const status = summarize(outcomes, (performance.now() - startMs) / 1000);
  if (signal.aborted && kept) say('what has passed is kept: --resume goes on');
  return exitCode() ?? status;
}

/**
 * @param {boolean} isRecording then skips are not compared, and results are others
 * @returns {KeptOutcomes | undefined}
 */
function keptOutcomes(isRecording) {
  const files = stateOf();
  if (files === undefined) return undefined;
  const state = [files, process.version, ...(isRecording ? ['recording'] : [])].join('-');
  return new KeptOutcomes(state, { isStill: () => stateOf() === files });
}

/**
 * @param {string[]} lines
 * @returns {Promise<number>} exit status
 */
async function fetchKernels(lines) {
  const prepared = await prepareKernels(lines);
  for (const entry of prepared) {
    say(`${entry.line}: ${'obstacle' in entry ? entry.obstacle.message : entry.kernel.name}`);
  }
  return prepared.some((entry) => 'obstacle' in entry) ? 1 : 0;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        kernel: { type: 'string', multiple: true, default: allKernels },
        machine: { type: 'string', multiple: true, default: allMachines },
        guests: { type: 'string', default: String(guestsDefault()) },
        resume: { type: 'boolean', default: false },
        fetch: { type: 'boolean', default: false },
        'record-skips': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    const guests = Number(values.guests);
    if (!(Number.isInteger(guests) && guests > 0)) {
      throw new TypeError(`--guests must be a number from 1 on, not '${values.guests}'`);
    }
    return {
      kernels: known('kernel', values.kernel, allKernels),
      machines: known('machine', values.machine, allMachines),
      guests,
      isFetching: values.fetch,
      isResumed: values.resume,
      isRecording: values['record-skips'],
    };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    say(`${error.message}; see --help`);
    return 2;
  }
}

/**
 * @param {string} option
 * @param {string[]} wanted
 * @param {string[]} all
 */
function known(option, wanted, all) {
  const wrong = wanted.find((value) => !all.includes(value));
  if (wrong === undefined) return wanted;
  throw new TypeError(`there is no ${option} '${wrong}': known are ${all.join(', ')}`);
}
