// @ts-check
// npm run check as a part of the tests, but for what others have: the set-up compiles lib, and the
// suites have the rules of the house.

import { spawn } from 'node:child_process';
import { projectFolder } from '../guest/host.mjs';
import { runPart } from './part.mjs';
import { resultLine } from './result.mjs';

const name = 'format, lint, types';

/**
 * @param {AbortSignal} signal
 * @returns {Promise<import('./part.mjs').Outcome>}
 */
export function runChecks(signal) {
  return runPart({ name, environment: name, run }, { signal });
}

/**
 * @param {import('./part.mjs').Work} work
 * @returns {Promise<import('./part.mjs').Ending>}
 */
function run({ onStdout, onStderr, signal }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['scripts/check.mjs', '--beside-tests'], {
      cwd: projectFolder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const stop = () => child.kill();
    signal.addEventListener('abort', stop);
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
      output += chunk;
      onStdout(chunk);
    });
    child.stderr.on('data', onStderr);
    child.on('error', reject);
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop);
      onStdout(Buffer.from(`${resultLine(resultOf(output))}\n`));
      const missing = output.split('\n').find((line) => line.includes('not found: '));
      resolve({ exitCode: code ?? 1, note: missing ?? 'on this host' });
    });
  });
}

/**
 * Each check says in a line of its own how it ended.
 * @param {string} output
 * @returns {import('./result.mjs').Result}
 */
function resultOf(output) {
  const endings = [...output.matchAll(/^(\S.*?) +([\d.]+) s {2}(ok|failed)$/gm)];
  const failed = endings.filter(([, , , ending]) => ending === 'failed');
  const durations = endings.map(([, check = '', seconds]) => [check, Number(seconds) * 1000]);
  return {
    passed: { [name]: endings.length - failed.length },
    failures: failed.map(([, check = '']) => {
      return { file: name, name: check, message: 'npm run check says what is wrong' };
    }),
    durations: { [name]: Object.fromEntries(durations) },
    ...{ files: [], skips: [], unexpected: [], isPrivileged: true },
  };
}
