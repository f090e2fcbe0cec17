// @ts-check
// One step of the set-up: a short line with its seconds; the full output goes to a log file, whose
// beginning and end are shown when the step fails.

import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, projectFolder } from '../guest/host.mjs';

export const logFile = join(cacheFolder, 'setup.log');
const headLines = 12;
const tailLines = 20;

/** @param {string} line */
export function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/**
 * Does one piece of work and says how long it took.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const begin = performance.now();
  try {
    const result = await work();
    say(`${title}: done in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    say(`${title}: FAILED after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    throw error;
  }
}

/**
 * Runs a program with its output in the log; throws with an excerpt of it when it fails.
 * @param {string} program
 * @param {string[]} parameters
 * @param {NodeJS.ProcessEnv} [environment] added to ours
 * @returns {Promise<void>}
 */
export async function runLogged(program, parameters, environment = {}) {
  mkdirSync(dirname(logFile), { recursive: true });
  const command = [program, ...parameters].join(' ');
  const { ending, output } = await outputOf(program, parameters, environment);
  // As a whole: steps run beside each other.
  appendFileSync(logFile, `\n$ ${command}\n${output}`);
  if (ending === 0) return;
  throw new Error(
    `\`${command}\` ended with ${ending}:\n${excerptOf(output)}\n(whole output: ${logFile})`,
  );
}

/**
 * @param {string} program
 * @param {string[]} parameters
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<{ ending: number | string, output: string }>} exit status, or the reason why
 *   there is none
 */
function outputOf(program, parameters, environment) {
  return new Promise((resolve) => {
    /** @type {Buffer[]} */
    const chunks = [];
    /** @param {number | string} ending */
    const end = (ending) => resolve({ ending, output: Buffer.concat(chunks).toString() });
    const child = spawn(program, parameters, {
      cwd: projectFolder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // npm is a .cmd file on Windows, which only a shell can start.
      shell: process.platform === 'win32',
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));
    }
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => end(code ?? signal ?? 'no status'));
  });
}

/**
 * Compilers tell the cause last, npm tells it first.
 * @param {string} text
 */
function excerptOf(text) {
  const lines = text.trim().split('\n');
  if (lines.length <= headLines + tailLines) return lines.join('\n');
  return [...lines.slice(0, headLines), '[...]', ...lines.slice(-tailLines)].join('\n');
}
