// @ts-check
// Command line of the differential harness: random programs on several kernels, twice on each, and
// what they did differently.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultKernel, kernelLines } from '../guest/kernel.mjs';
import { runJob } from './all-kernels.mjs';
import { buildHarness } from './bundle.mjs';
import { hasNew, inOrder, kindOf, toTexts } from './compare-runs.mjs';
import { runInGuest, stop } from './guest-programs.mjs';
import { withScriptOf } from './script.mjs';
import { readTrace, writeTrace } from './trace.mjs';

const allKernels = [...kernelLines.keys()];

const usage = `usage: npm run differential -- [options]

Runs random programs of NUMA system calls in guests, twice on each kernel, and compares what they
did: a kernel with itself, then neighbouring kernels with each other.

  --kernel K,...      kernels, as \`npm run guest\` takes them (default: ${defaultKernel})
  --all               on ${allKernels.join(', ')}
  --kind KIND         plain; with objects and huge pages: objects; or with groups of processes:
                      v2, v1, v1-migrate (default: plain)
  --programs N        how many (default: 500)
  --seed S            of the first program; the others follow (default: 1)
  --simulator         the simulator runs them, too, and has to do what each kernel did
  --once              once on each kernel: nothing is told of its repeating
  --keep FOLDER       keep the kernels' replies there; those that are there spare a guest
  --guests N          guests that run at once (default: 2)
  --without A,B       features left out: weighted-interleave, prot-none, balancing, high-region
  --examples          also cut down a program for each difference that is known
  --corpus FOLDER     write the programs that were cut down there
  --from FOLDER       with --record: the programs of its files instead of random ones
  --record FILE       run on --kernel once and write programs with their outcomes
  --compare FILE      run the programs of a recorded file on --kernel, compare with its outcomes

Exit status: 0 when all of it was done and only known differences were found, 1 otherwise.
`;

const { values } = parseArgs({
  options: {
    kernel: { type: 'string', default: defaultKernel },
    all: { type: 'boolean', default: false },
    kind: { type: 'string', default: 'plain' },
    programs: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    simulator: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    keep: { type: 'string' },
    guests: { type: 'string', default: '2' },
    without: { type: 'string', default: '' },
    examples: { type: 'boolean', default: false },
    corpus: { type: 'string' },
    from: { type: 'string' },
    record: { type: 'string' },
    compare: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** @typedef {import('./bundle.mjs').Harness} Harness */
/** @typedef {import('../../test/differential/program.ts').Program} Program */

/** @type {(text: string) => void} */
const say = (text) => {
  process.stdout.write(`${text}\n`);
};

/** @param {Harness} harness */
function kindOfPrograms(harness) {
  const kind = harness.KINDS.find((name) => name === values.kind);
  if (kind === undefined) throw new Error(`no such kind: ${values.kind}`);
  return kind;
}

/**
 * @param {Harness} harness
 * @returns {Program[]}
 */
function programsToRecord(harness) {
  const { from, seed, programs } = values;
  if (from !== undefined) {
    const names = readdirSync(from).filter((name) => name.endsWith('.json'));
    return names.sort().map((name) => JSON.parse(readFileSync(join(from, name), 'utf8')));
  }
  const without = new Set(
    harness.FEATURES.filter((name) => values.without.split(',').includes(name)),
  );
  return Array.from({ length: Number(programs) }, (_, index) =>
    harness.generateProgram(Number(seed) + index, without, kindOfPrograms(harness)),
  );
}

/**
 * @param {Harness} harness
 * @param {readonly Program[]} programs
 */
function runOnce(harness, programs) {
  return withScriptOf(harness, programs, async (script) => {
    const { release, replies } = await runInGuest(harness, values.kernel, script);
    const outcomes = await Promise.all(
      programs.map((program, index) =>
        harness.readOutcome(program, /** @type {string} */ (replies[index])),
      ),
    );
    return { release, outcomes };
  });
}

/**
 * @param {Harness} harness
 * @param {string} file
 */
async function record(harness, file) {
  const programs = programsToRecord(harness);
  const { release, outcomes } = await runOnce(harness, programs);
  writeTrace(file, release, programs, outcomes);
  say(`${release}: ${programs.length} programs recorded in ${file}`);
  return 0;
}

/**
 * @param {Harness} harness
 * @param {string} file
 */
async function compareWithFile(harness, file) {
  const trace = readTrace(file);
  const { programs } = trace;
  const [a, b] = inOrder(harness, [trace, await runOnce(harness, programs)]);
  const releases = { a: a.release, b: b.release };
  const found = programs.flatMap((program, index) => {
    const [older, newer] = [a, b].map(({ outcomes }) => outcomes[index]);
    if (!older || !newer) throw new Error(`no outcome of program ${index}`);
    const verdict = harness.classify(program, older, newer, releases);
    return kindOf(verdict) || verdict.known.length > 0 ? [{ index, program, verdict }] : [];
  });
  const comparison = { releases, programCount: programs.length, found, stale: [] };
  for (const text of toTexts(harness, comparison)) say(text);
  return hasNew(comparison) ? 1 : 0;
}

async function main() {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const harness = await buildHarness();
  if (values.record) return record(harness, values.record);
  if (values.compare) return compareWithFile(harness, values.compare);
  const { problems } = await runJob(harness, {
    kernels: values.all ? allKernels : values.kernel.split(','),
    programCount: Number(values.programs),
    seed: Number(values.seed),
    kind: kindOfPrograms(harness),
    without: values.without,
    guests: Number(values.guests),
    withKnown: values.examples,
    withSimulator: values.simulator,
    times: values.once ? 1 : 2,
    kept: values.keep,
    corpus: values.corpus,
    say,
    progress: (text) => {
      process.stderr.write(`${text}\n`);
    },
  });
  return problems.length === 0 ? 0 : 1;
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => stop.abort());
}
process.exitCode = await main();
