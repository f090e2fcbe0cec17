// @ts-check
// The simulator against what a kernel did: the same programs, on the same machine.

import { readMachine } from '../guest/machine.mjs';

const shownMax = 10;
/** So many show every known difference; with fewer, one that is not met may have been missed. */
const programsForAll = 20_000;

/** @typedef {import('./bundle.mjs').Harness} Harness */

/**
 * @param {Harness} harness
 * @param {import('./script.mjs').Script} script
 * @param {import('./guest-programs.mjs').GuestRun} run
 * @param {(text: string) => void} say
 * @returns {Promise<string[]>} what is wrong
 */
export async function compareWithSimulator(harness, script, { release, replies }, say) {
  const machine = await readMachine(script.machine);
  const line = harness.kernelLineOf(release);
  const startMs = performance.now();
  /** @type {Map<string, number>} */
  const known = new Map(harness.SIMULATOR_DIFFERENCES.map(({ name }) => [name, 0]));
  let divergingCount = 0;
  for (let index = 0; index < script.programCount; index += 1) {
    const program = script.programAt(index);
    const kernel = await harness.readOutcome(program, /** @type {string} */ (replies[index]));
    const simulated = await harness.simulate(program, machine, line);
    const found = harness.compareWithKernel(program, kernel, simulated);
    if (!found) continue;
    if ('known' in found) {
      known.set(found.known, (known.get(found.known) ?? 0) + 1);
      continue;
    }
    divergingCount += 1;
    if (divergingCount <= shownMax) say(`  seed ${program.seed}: ${JSON.stringify(found.first)}`);
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const figures = `${script.programCount} programs, ${script.callCount} calls, ${seconds} s`;
  say(`${release} and the simulator as ${line}: ${divergingCount} diverge (${figures})`);
  for (const [name, count] of known) say(`  known: ${name}: ${count} programs`);
  // Locked pages of several processes are seldom in programs with groups.
  const isPlain = script.programAt(0).groups === undefined;
  const isWhole = isPlain && script.programCount >= programsForAll;
  const stale = harness.SIMULATOR_DIFFERENCES.filter(
    ({ name, since }) => known.get(name) === 0 && harness.compareReleases(since, release) <= 0,
  );
  const problems = (isWhole ? stale : []).map(
    ({ name }) => `${name} of the simulator is known, and was not met`,
  );
  if (divergingCount > 0) problems.push(`the simulator does not do what ${release} did`);
  return problems;
}
