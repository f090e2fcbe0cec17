// @ts-check
// A part of the tests: some suites in one environment. Its output goes to a file of its own, and
// on to the terminal where that is wanted.

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../guest/host.mjs';
import { readResult } from './result.mjs';

/** Of whole outputs, and of what is measured. */
export const logFolder = join(cacheFolder, 'test');

/**
 * @typedef {object} Part
 * @property {string} name of its line and its log; no other part has it
 * @property {string} environment as test/expected-skips.json names it
 * @property {boolean} [isWhole] whether it has, with other parts that say so, all tests of its
 *   environment
 * @property {(work: Work) => Promise<Ending>} run
 */

/**
 * @typedef {object} Work
 * @property {Record<string, string>} env variables of the run
 * @property {(chunk: Buffer) => void} onStdout
 * @property {(chunk: Buffer) => void} onStderr
 * @property {AbortSignal} signal
 */

/**
 * @typedef {object} Ending
 * @property {number} exitCode
 * @property {string} note where it ran, or why it did not
 */

/**
 * @typedef {object} Outcome
 * @property {string} name
 * @property {string} [environment]
 * @property {boolean} [isWhole]
 * @property {'ok' | 'failed' | 'left out'} verdict
 * @property {number} seconds
 * @property {string} note
 * @property {import('./result.mjs').Result} [result] what the suites said at their end
 * @property {import('./result.mjs').Failure[]} [flakes] failed first, and passed when run again
 * @property {string} [log] path of the whole output
 */

/**
 * @typedef {object} RunOptions
 * @property {AbortSignal} signal ends the part
 * @property {boolean} [isShown] whether the output is passed on as it comes
 * @property {boolean} [isRecording] whether skips are recorded rather than compared
 */

/**
 * @param {Part} part
 * @param {RunOptions} options
 * @returns {Promise<Outcome>}
 */
export async function runPart(part, { signal, isShown = false, isRecording = false }) {
  const startMs = performance.now();
  mkdirSync(logFolder, { recursive: true });
  const log = join(logFolder, `${part.name.replaceAll(/[/ ]/g, '-')}.log`);
  const file = openSync(log, 'w');
  /** @type {import('./result.mjs').Result | undefined} */
  let result;
  /** @param {string} line */
  const keep = (line) => {
    writeSync(file, line);
    if (isShown) process.stdout.write(line);
  };
  const stdout = lineReader((line) => {
    const said = readResult(line);
    // A guest that died was started again: the last word counts.
    if (said) result = said;
    else keep(line);
  });
  const stderr = lineReader(keep);
  const env = {
    NODE_NUMA_TEST_ENVIRONMENT: part.environment,
    NODE_NUMA_TEST_RESULT: '1',
    ...(isRecording ? { NODE_NUMA_RECORD_SKIPS: '1' } : {}),
    ...(isShown ? {} : { NO_COLOR: '1' }),
  };
  const { exitCode, note } = await part.run({
    env,
    signal,
    onStdout: stdout.push,
    onStderr: stderr.push,
  });
  stdout.end();
  stderr.end();
  writeSync(file, `\n${note}\n`);
  closeSync(file);
  const seconds = (performance.now() - startMs) / 1000;
  const verdict = exitCode === 0 && result ? 'ok' : 'failed';
  const { name, environment, isWhole = false } = part;
  return { name, environment, isWhole, verdict, seconds, note, log, ...(result ? { result } : {}) };
}

/**
 * Cuts chunks into lines; each keeps its end of line.
 * @param {(line: string) => void} onLine
 */
function lineReader(onLine) {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    /** @param {Buffer} chunk */
    push: (chunk) => {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split(/(?<=\n)/);
      rest = lines.at(-1)?.endsWith('\n') ? '' : (lines.pop() ?? '');
      for (const line of lines) onLine(line);
    },
    end: () => {
      if (rest !== '') onLine(rest);
    },
  };
}
