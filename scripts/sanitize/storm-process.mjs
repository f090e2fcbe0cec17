// @ts-check
// One storm in a process of its own under the sanitizers, and what became of it.

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { sanitizeFolder, stormFile } from './build.mjs';

const logFolder = join(sanitizeFolder, 'logs');
const timeoutMs = 40 * 60_000;
const reportLinesMax = 24;
/** As test/native/storms/storm.ts writes it. */
const resultMark = 'storm-result:';
/** How the sanitizers begin what they have to say. */
const reportPattern = /ERROR: (Address|Leak)Sanitizer|runtime error:|AddressSanitizer:DEADLYSIGNAL/;

const sanitizerOptions = {
  // Node frees little of its own when it ends; what the addon leaks, test/native/leak.test.ts sees.
  detect_leaks: 0,
  // A crash is told with its stack. Node would put its own handlers first.
  handle_segv: 2,
  handle_abort: 1,
  // That of the addon comes before it, and passes on what is not about files.
  handle_sigbus: 1,
  // More memory for what was freed finds later uses, but each storm has hundreds of threads.
  quarantine_size_mb: 64,
};
// The handler of WebAssembly's traps would take the signal that tells of a crash.
const nodeFlags = ['--expose-gc', '--disable-wasm-trap-handler'];

/**
 * @typedef {object} Storm
 * @property {import('./node-binaries.mjs').NodeBinary} node
 * @property {keyof typeof import('./build.mjs').packageFolders} build
 * @property {string} name of the file
 * @property {string} label tells it from others of its kind
 * @property {Record<string, any>} options
 */

/**
 * @typedef {object} Ending
 * @property {Storm} storm
 * @property {number} seconds
 * @property {string} log
 * @property {Record<string, any> | undefined} result
 * @property {string[]} findings the first line of each says what it is
 */

/**
 * @param {Storm} storm
 * @param {{ library: string | undefined, signal: AbortSignal }} environment
 * @returns {Promise<Ending>}
 */
export async function runStorm(storm, { library, signal }) {
  const startMs = performance.now();
  mkdirSync(logFolder, { recursive: true });
  const log = join(logFolder, `node-${storm.node.release}-${storm.label}.log`);
  const file = createWriteStream(log);
  const parameters = [stormFile(storm.build, storm.name), JSON.stringify(storm.options)];
  const child = spawn(storm.node.path, [...nodeFlags, ...parameters], {
    env: { ...process.env, ...environmentOf(library) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const ending = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, name) => resolve(name ?? code));
  });
  signal.removeEventListener('abort', stop);
  file.end();
  await finished(file);
  const text = readFileSync(log, 'utf8');
  const result = resultIn(text);
  const findings = findingsOf(text, result, ending);
  return { storm, seconds: (performance.now() - startMs) / 1000, log, result, findings };
}

/** @param {string | undefined} library that of the sanitizers */
function environmentOf(library) {
  if (library === undefined) return { NODE_OPTIONS: '' };
  const options = Object.entries(sanitizerOptions).map(([name, value]) => `${name}=${value}`);
  return {
    LD_PRELOAD: library,
    ASAN_OPTIONS: options.join(':'),
    UBSAN_OPTIONS: 'print_stacktrace=1',
    NODE_OPTIONS: '',
  };
}

/** @param {string} text */
function resultIn(text) {
  const line = text.split('\n').find((one) => one.startsWith(resultMark));
  return line === undefined ? undefined : JSON.parse(line.slice(resultMark.length));
}

/**
 * @param {string} text
 * @param {Record<string, any> | undefined} result
 * @param {number | string} ending
 * @returns {string[]}
 */
function findingsOf(text, result, ending) {
  const lines = text.split('\n').filter((line) => !line.startsWith(resultMark));
  const start = lines.findIndex((line) => reportPattern.test(line));
  if (start >= 0)
    return [
      lines
        .slice(start, start + reportLinesMax)
        .join('\n')
        .trimEnd(),
    ];
  /** @type {string[]} */
  const findings = result?.['failures'] ?? [];
  if (ending === 0 && result !== undefined) return findings;
  const tail = lines.join('\n').trim().split('\n').slice(-reportLinesMax).join('\n');
  return [...findings, `ended with ${ending}\n${tail}`];
}
