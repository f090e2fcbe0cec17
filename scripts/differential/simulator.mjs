// @ts-check
// The simulator against what a kernel did: the same programs, on the same machine.

import { readMachine } from '../guest/machine.mjs';
import { guestMachine } from './guest-programs.mjs';

const shownMax = 10;

/** @typedef {import('./bundle.mjs').Harness} Harness */

/**
 * @param {Harness} harness
 * @param {import('./script.mjs').Script} script
 * @param {import('./guest-programs.mjs').GuestRun} run
 * @param {(text: string) => void} say
 * @returns {Promise<string[]>} what is wrong
 */
export async function compareWithSimulator(harness, script, { release, replies }, say) {
  const machine = readMachine(guestMachine);
  const line = harness.kernelLineOf(release);
  const startMs = performance.now();
  let divergingCount = 0;
  for (let index = 0; index < script.programCount; index += 1) {
    const program = script.programAt(index);
    const kernel = await harness.readOutcome(program, /** @type {string} */ (replies[index]));
    const simulated = await harness.simulate(program, machine, line);
    const [first] = harness.differencesOf(program, kernel, simulated);
    if (first === undefined) continue;
    divergingCount += 1;
    if (divergingCount <= shownMax) say(`  seed ${program.seed}: ${JSON.stringify(first)}`);
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const figures = `${script.programCount} programs, ${script.callCount} calls, ${seconds} s`;
  say(`${release} and the simulator as ${line}: ${divergingCount} diverge (${figures})`);
  return divergingCount === 0 ? [] : [`the simulator does not do what ${release} did`];
}
