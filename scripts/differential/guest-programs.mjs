// @ts-check
// Runs a script of programs in a guest and brings the replies out.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { runGuest } from '../guest/guest.mjs';

/** Ends the guests that run, and lets no other begin. */
export const stop = new AbortController();

const beginning = 'differential-batch';
const startSecondsMax = 300;
const programsPerSecondMin = 5;

/** @typedef {import('./bundle.mjs').Harness} Harness */
/** @typedef {import('./script.mjs').Script} Script */

/**
 * @typedef {object} GuestRun
 * @property {string} kernel as it was asked for
 * @property {string} release
 * @property {readonly string[]} replies a line for each program
 * @property {number} seconds that the programs took
 */

/** @typedef {{ kernel: string, error: Error }} Failure */

/**
 * @param {Harness} harness
 * @param {string} kernel a line or an image
 * @param {Script} script
 * @param {(done: number) => void} [onProgress]
 * @returns {Promise<GuestRun>}
 */
export async function runInGuest(harness, kernel, script, onProgress = () => {}) {
  const folder = 'build/Release';
  // The guest's ports are slower than its compressor. The word tells a second attempt's beginning.
  const batch = `zcat ${folder}/${basename(script.path)} | ${folder}/puppet batch | gzip -1`;
  /** @type {Buffer[]} */
  const chunks = [];
  let errors = '';
  const { exitCode } = await runGuest({
    kernel,
    machine: script.machine,
    signal: stop.signal,
    command: ['sh', '-c', `${script.setup} && echo ${beginning} && ${batch}`],
    timeoutSeconds: startSecondsMax + Math.ceil(script.programCount / programsPerSecondMin),
    onStdout: (chunk) => {
      chunks.push(chunk);
    },
    onStderr: (chunk) => {
      const text = chunk.toString();
      const done = text.match(/(?<=^done )\d+$/gm);
      if (done) onProgress(Number(done.at(-1)));
      else errors += text;
    },
  });
  const result = harness.parseBatch(unpacked(Buffer.concat(chunks)));
  if (exitCode !== 0 || result?.replies.length !== script.programCount) {
    const told = `${result?.replies.length ?? 'some'} of ${script.programCount} programs`;
    throw new Error(`only ${told} on ${kernel}, exit status ${exitCode}: ${errors}`);
  }
  return { kernel, ...result };
}

/** @param {Buffer} output */
function unpacked(output) {
  const start = output.lastIndexOf(`${beginning}\n`) + beginning.length + 1;
  return gunzipSync(output.subarray(start)).toString('latin1');
}

/**
 * What a run gave before, if the folder has it; else it runs, and is put there.
 * @param {string | undefined} folder
 * @param {string} name
 * @param {() => Promise<GuestRun>} run
 * @returns {Promise<GuestRun>}
 */
async function keeping(folder, name, run) {
  if (folder === undefined) return run();
  const path = join(folder, `${name.replaceAll('/', '_')}.json.gz`);
  if (existsSync(path)) return JSON.parse(gunzipSync(readFileSync(path)).toString());
  const result = await run();
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, gzipSync(JSON.stringify(result)));
  return result;
}

/**
 * One run for each of the kernels named, some guests at once. A run that fails is told in its
 * place; the others go on.
 * @param {Harness} harness
 * @param {readonly string[]} kernels
 * @param {Script} script
 * @param {object} options
 * @param {number} options.guests that run at once
 * @param {string | undefined} [options.kept] folder of replies: what is there spares its guest
 * @param {(index: number, run: GuestRun | Failure) => void} [options.onEnd]
 * @param {(index: number, done: number) => void} [options.onProgress]
 * @returns {Promise<(GuestRun | Failure)[]>}
 */
export async function runAll(harness, kernels, script, { guests, kept, onEnd, onProgress }) {
  /** @type {(GuestRun | Failure)[]} */
  const results = [];
  let next = 0;
  const work = async () => {
    while (next < kernels.length) {
      const index = next++;
      const kernel = /** @type {string} */ (kernels[index]);
      const run = () => runInGuest(harness, kernel, script, (done) => onProgress?.(index, done));
      results[index] = await keeping(kept, `${script.digest}-${kernel}-${index}`, run).catch(
        (/** @type {Error} */ error) => ({ kernel, error }),
      );
      onEnd?.(index, results[index]);
    }
  };
  await Promise.all(Array.from({ length: guests }, work));
  return results;
}
