// @ts-check
// npm run interleavings: random interleavings on the simulator, as many as one likes, with what
// must hold looked at after each step.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { projectFolder } from './guest/host.mjs';
import { kernelLines } from './guest/kernel.mjs';

/** @typedef {import('../lib/core/kernels.ts').KernelLine} KernelLine */

const usage = `usage: npm run interleavings -- [--seeds N] [--from N] [--kernel LINE]

Accesses, moves, pins, unmaps, forks, cpuset changes and faults in random turns, one step at a time,
on the simulator. After each step every page must be on one node and one list; at the end no
migration entry may be left, no write be lost, and all memory be free again.

  --seeds N      how many; default 10000
  --from N       the first; default 1. The same seed does the same everywhere
  --kernel LINE  ${[...kernelLines.keys()].join(', ')}; default: the seed chooses
  --help         this text

Exit status: 0 all held, 1 one did not (it is printed), 2 bad usage.
`;

const shownMax = 10;
const progressEvery = 5000;

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

const options = readOptions();
if (options) process.exitCode = await run(options);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '10000' },
        from: { type: 'string', default: '1' },
        kernel: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return undefined;
    }
    const { kernel } = values;
    const [count, from] = [values.seeds, values.from].map(Number);
    if (!Number.isInteger(count) || !Number.isInteger(from)) throw new Error('not a whole number');
    return { count: /** @type {number} */ (count), from: /** @type {number} */ (from), kernel };
  } catch (error) {
    process.stderr.write(`${/** @type {Error} */ (error).message}\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** @returns {Promise<typeof import('../test/simulator/migrate/index.ts')>} */
async function bundled() {
  const { build } = await import('rolldown');
  const file = join(projectFolder, 'build/Release/interleavings.mjs');
  mkdirSync(join(projectFolder, 'build/Release'), { recursive: true });
  await build({
    input: join(projectFolder, 'test/simulator/migrate/index.ts'),
    platform: 'node',
    logLevel: 'warn',
    output: { file, format: 'esm' },
  });
  return import(pathToFileURL(file).href);
}

/** @param {{ count: number, from: number, kernel?: string | undefined }} options */
async function run({ count, from, kernel }) {
  const { interleave } = await bundled();
  const startMs = performance.now();
  let events = 0;
  let wrong = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const result = interleave(seed, /** @type {KernelLine | undefined} */ (kernel));
    events += result.eventCount;
    if (result.failures.length > 0) {
      wrong += 1;
      if (wrong <= shownMax) say(`seed ${seed}: ${result.failures.join('; ')}`);
    }
    const done = seed - from + 1;
    if (done % progressEvery === 0) say(`${done} seeds, ${events} steps, ${wrong} wrong`);
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  say(`${count} seeds, ${events} steps, ${wrong} wrong, ${seconds} s`);
  return wrong === 0 ? 0 : 1;
}
