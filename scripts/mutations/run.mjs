// @ts-check
// npm run mutate: whether the tests notice faults that were put in on purpose, and which part does.

import { watchForInterruption } from '../guest/interruption.mjs';
import { setUp } from '../setup.mjs';
import { withCopy } from './copy.mjs';
import { obstaclesTo, readMutations } from './patches.mjs';

/** Faults that tests of this host do not notice: so many have to show what kernels are for. */
const byKernelsMin = 4;

const usage = `usage: npm run mutate -- [NAME...]

Puts the faults of test/mutations one by one into a copy of the project and runs the tests that each
patch names, until a part notices. All, or those with these names. A fault that nobody notices is a
failure, and so is one that can no longer be put in.
`;

/** @typedef {import('./patches.mjs').Mutation} Mutation */
/** @typedef {import('./patches.mjs').MutationPart} MutationPart */

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** @param {MutationPart} part */
const titleOf = ({ place, machine, kernel }) =>
  place === 'host' ? 'host' : `${machine}/${kernel} ${place}`;

process.exitCode = await main(process.argv.slice(2));

/** @param {string[]} names */
async function main(names) {
  if (names.includes('--help')) {
    say(usage);
    return 0;
  }
  const all = readMutations();
  const unknown = names.find((name) => all.every((mutation) => mutation.name !== name));
  if (unknown !== undefined) {
    say(`no mutation '${unknown}': there are ${all.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const chosen = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
  const obstacles = chosen.flatMap(obstaclesTo);
  for (const obstacle of obstacles) say(obstacle);
  if (obstacles.length > 0) return 1;
  // The copy is removed in any case; a part ends by itself.
  const { signal, exitCode } = watchForInterruption();
  await setUp();
  const startMs = performance.now();
  const caught = await withCopy(async (copy) => {
    if (!(await areSound(copy, chosen))) return [];
    const found = [];
    for (const mutation of chosen) {
      if (!signal.aborted) found.push(await tryOut(copy, mutation));
    }
    return found;
  });
  const byKernels = caught.filter((part) => part !== undefined && part.place !== 'host').length;
  const count = caught.filter((part) => part !== undefined).length;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  say(`${count} of ${chosen.length} noticed, ${byKernels} by kernels alone, ${seconds} s`);
  const isEnough = chosen.length < all.length || byKernels >= byKernelsMin;
  if (!isEnough) say(`at least ${byKernelsMin} have to be noticed by kernels alone`);
  return exitCode() ?? (count === chosen.length && isEnough ? 0 : 1);
}

/**
 * Tests that fail in the copy without a fault would tell nothing. Those of guests pass in CI.
 * @param {import('./copy.mjs').Copy} copy
 * @param {Mutation[]} mutations
 */
async function areSound(copy, mutations) {
  const parts = mutations.flatMap((mutation) => mutation.parts);
  const ofHost = parts.filter(({ place, suites }) => place === 'host' && !suites.includes('-t'));
  const suites = [...new Set(ofHost.flatMap((part) => part.suites))];
  if (suites.length === 0) return true;
  const { passed, failures } = await copy.run({ place: 'host', suites });
  for (const { file, name } of failures) say(`fails without a fault: ${file} > ${name}`);
  say(`without a fault: ${passed} tests of the host passed, ${failures.length} failed`);
  return failures.length === 0;
}

/**
 * @param {import('./copy.mjs').Copy} copy
 * @param {Mutation} mutation
 * @returns {Promise<MutationPart | undefined>} the part that noticed
 */
async function tryOut(copy, mutation) {
  say(`${mutation.name}: ${mutation.fault}`);
  await copy.apply(mutation);
  try {
    for (const part of mutation.parts) {
      const startMs = performance.now();
      const { verdict, passed, failures, note } = await copy.run(part);
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      const where = `  ${titleOf(part)}, ${seconds} s:`;
      const [first] = failures;
      if (first !== undefined) {
        say(`${where} noticed, ${failures.length} tests failed: ${first.file} > ${first.name}`);
        return part;
      }
      const isRun = verdict === 'ok' && passed > 0;
      say(`${where} ${isRun ? `not noticed, ${passed} tests passed` : `did not run: ${note}`}`);
    }
    say('  NOT NOTICED');
    return undefined;
  } finally {
    await copy.restore();
  }
}
