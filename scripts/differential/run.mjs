// @ts-check
// Command line of the differential harness: random programs on two kernels, or twice on one, and
// what they did differently.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildHarness } from './bundle.mjs';
import { classifyAll, examplesOf, isBefore, shrinkAll, toTexts } from './differences.mjs';
import { runInBoth, runInGuest } from './guest-programs.mjs';
import { readTrace, writeTrace } from './trace.mjs';

const usage = `usage: npm run differential -- [options]

Runs random programs of NUMA system calls in guests and compares what they did.

  --kernel K          the kernel, as \`npm run guest\` takes it (default: 6.1)
  --against K         the other kernel (default: the same one again, in another guest)
  --programs N        how many (default: 500)
  --seed S            of the first program; the others follow (default: 1)
  --without A,B       features left out: weighted-interleave, prot-none, balancing, high-region
  --details N         differing programs to look into at most (default: 200)
  --examples          also cut down a program for each difference that is known
  --record FILE       run on --kernel alone and write programs with their outcomes
  --compare FILE      run the programs of a recorded file on --kernel, compare with its outcomes
  --corpus FOLDER     write the programs that were cut down there

Exit status: 0 when only known differences were found, 1 otherwise.
`;

const { values } = parseArgs({
  options: {
    kernel: { type: 'string', default: '6.1' },
    against: { type: 'string' },
    programs: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    without: { type: 'string', default: '' },
    details: { type: 'string', default: '200' },
    examples: { type: 'boolean', default: false },
    record: { type: 'string' },
    compare: { type: 'string' },
    corpus: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** @type {(text: string) => void} */
const say = (text) => {
  process.stdout.write(`${text}\n`);
};

/** @type {(ms: number, count: number) => string} */
const rate = (ms, count) => `${Math.round(count / (ms / 1000))} programs/s`;

const seed = Number(values.seed);
const count = Number(values.programs);
const { without } = values;

/** @param {import('./bundle.mjs').Harness} harness */
function programsOf(harness) {
  const left = new Set(harness.FEATURES.filter((name) => without.split(',').includes(name)));
  return Array.from({ length: count }, (_, index) => harness.generateProgram(seed + index, left));
}

/**
 * @param {import('./bundle.mjs').Harness} harness
 * @param {string} file
 */
async function record(harness, file) {
  const programs = programsOf(harness);
  const run = await runInGuest({ kernel: values.kernel, programs, isFull: true });
  writeTrace(file, run.release, programs, run.lines);
  say(`${run.release}: ${count} programs recorded in ${file}, ${rate(run.ms, count)}`);
  return 0;
}

/**
 * @param {import('./bundle.mjs').Harness} harness
 * @param {string} file
 */
async function compareWithFile(harness, file) {
  const trace = readTrace(file);
  const run = await runInGuest({ kernel: values.kernel, programs: trace.programs, isFull: true });
  const right = run.lines.map((line) => JSON.parse(line));
  const isOlder = isBefore(run.release, trace.release);
  const releases = isOlder
    ? { a: run.release, b: trace.release }
    : { a: trace.release, b: run.release };
  const found = classifyAll(harness, trace.programs, releases, {
    a: isOlder ? right : trace.outcomes,
    b: isOlder ? trace.outcomes : right,
  });
  say(`${trace.release} (recorded) and ${run.release}: ${trace.programs.length} programs`);
  for (const text of toTexts(found)) say(text);
  return found.some(({ verdict }) => verdict.first) ? 1 : 0;
}

/** @param {import('./bundle.mjs').Harness} harness */
async function compareKernels(harness) {
  const { kernel, against = kernel } = values;
  const pair = /** @type {const} */ ([kernel, against]);
  const kernels = isBefore(against, kernel) ? /** @type {const} */ ([against, kernel]) : pair;
  const mergesAbsence = kernels[0] === '6.1' && kernels[1] !== '6.1';
  const { left, right } = await runInBoth(kernels, { seed, count, without, mergesAbsence });
  say(`${left.release} (${rate(left.ms, count)}), ${right.release} (${rate(right.ms, count)})`);
  const all = programsOf(harness);
  const differing = all.filter((_, index) => left.lines[index] !== right.lines[index]);
  say(`${count} programs from seed ${seed}, without '${without}': ${differing.length} differ`);
  if (differing.length === 0) return 0;

  const programs = differing.slice(0, Number(values.details));
  const full = await runInBoth(kernels, { programs, isFull: true });
  const releases = { a: full.left.release, b: full.right.release };
  const found = classifyAll(harness, programs, releases, {
    a: full.left.lines.map((line) => JSON.parse(line)),
    b: full.right.lines.map((line) => JSON.parse(line)),
  });
  for (const text of toTexts(found)) say(text);
  const chosen = examplesOf(found, values.examples);
  const small = await shrinkAll(harness, kernels, chosen);
  for (const { name, program, verdict } of small) {
    say(`${name}: ${JSON.stringify(program)}`);
    if (verdict) say(`  ${JSON.stringify(verdict)}`);
    if (!values.corpus) continue;
    writeFileSync(`${values.corpus}/${name}.json`, `${JSON.stringify(program, null, 2)}\n`);
  }
  return found.some(({ verdict }) => verdict.first) ? 1 : 0;
}

async function main() {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const harness = await buildHarness();
  if (values.record) return record(harness, values.record);
  if (values.compare) return compareWithFile(harness, values.compare);
  return compareKernels(harness);
}

process.exitCode = await main();
