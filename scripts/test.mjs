// @ts-check
// npm test: sets up what is missing, runs the suites on this host, then in the QEMU guest where it
// can be had, and ends with the sum of both. With CI=true a guest that did not run is a failure.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { guestAvailability } from './guest/availability.mjs';
import { runGuest } from './guest/guest.mjs';
import { GuestError, projectFolder } from './guest/host.mjs';
import { memoryNodeCount, numaCallObstacle } from './host-kernel.mjs';
import { setUp } from './setup.mjs';

const isCi = process.env['CI'] === 'true';
const machine = fileURLToPath(new URL('machines/four-nodes.json', import.meta.url));
/** Folders whose suites depend on the kernel; the others test what is the same everywhere. */
const kernelSuites = ['test/backends', 'test/facade', 'test/native'];
const hostSuites = ['test/core', 'test/package', 'test/style'];
const vitest = ['node_modules/vitest/vitest.mjs', 'run'];

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {number} exitCode
 * @property {number} seconds
 * @property {string} output what the suites printed
 */

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

if (process.argv.includes('--help')) {
  say('npm test: sets up what is missing and runs all suites, on this host and in the QEMU guest.');
  say('CI=true makes a guest that cannot run a failure.');
  process.exit(0);
}
process.exitCode = await main();

async function main() {
  /** @type {Part[]} */
  const parts = [];
  parts.push(
    await timed('set-up', async () => ({ exitCode: await setUp().then(() => 0), output: '' })),
  );
  parts.push(await timed('host', runHostSuites));
  const guest = guestAvailability();
  if (guest.available) {
    parts.push(await timed('guest', runGuestSuites));
  } else {
    say(`\nguest suites not run: ${guest.reason}; ${guest.remedy}`);
    if (isCi) parts.push({ name: 'guest', exitCode: 1, seconds: 0, output: '' });
  }
  return summarize(parts);
}

/**
 * @param {string} name
 * @param {() => Promise<{ exitCode: number, output: string }>} run
 * @returns {Promise<Part>}
 */
async function timed(name, run) {
  say(`\n== ${name}`);
  const startMs = performance.now();
  const result = await run();
  return { name, ...result, seconds: (performance.now() - startMs) / 1000 };
}

async function runHostSuites() {
  const obstacle = await numaCallObstacle();
  if (obstacle !== undefined) {
    say(`not on this kernel: ${kernelSuites.join(', ')}, because ${obstacle}`);
    return runVitest(hostSuites, 'host-denied');
  }
  const environment = memoryNodeCount() >= 2 ? 'host-multi-node' : 'host-single-node';
  return runVitest([...hostSuites, ...kernelSuites], environment);
}

/**
 * @param {string[]} suites
 * @param {string} environment
 * @returns {Promise<{ exitCode: number, output: string }>}
 */
function runVitest(suites, environment) {
  const env = { ...process.env, NODE_NUMA_TEST_ENVIRONMENT: environment };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...vitest, ...suites], {
      cwd: projectFolder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      process.stdout.write(text);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output }));
  });
}

async function runGuestSuites() {
  let output = '';
  try {
    const { exitCode, accelerator, kernel, attempts } = await runGuest({
      command: ['node', ...vitest, ...kernelSuites, '--no-isolate', '--maxWorkers=1'],
      machine,
      env: { NODE_NUMA_TEST_ENVIRONMENT: 'guest-four-nodes' },
      onStdout: (chunk) => {
        output += chunk;
        process.stdout.write(chunk);
      },
      onStderr: (chunk) => process.stderr.write(chunk),
      onNotice: say,
    });
    say(`guest: kernel ${kernel} under ${accelerator}${attempts > 1 ? ', second attempt' : ''}`);
    return { exitCode, output };
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    say(`the guest failed: ${error.message}`);
    return { exitCode: error.exitCode, output };
  }
}

/**
 * Prints the times and the sum; a part that failed without a failed test counts as one.
 * @param {Part[]} parts
 */
function summarize(parts) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  say('');
  for (const { name, exitCode, seconds, output } of parts) {
    const counts = lastCounts(output);
    if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
    const verdict = exitCode === 0 ? 'ok' : `failed (exit status ${exitCode})`;
    say(`${name.padEnd(8)} ${seconds.toFixed(1).padStart(7)} s  ${verdict}`);
  }
  const total = parts.reduce((all, part) => all + part.seconds, 0);
  say(`${'total'.padEnd(8)} ${total.toFixed(1).padStart(7)} s`);
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
  say(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
  return sum.failed === 0 && sum.passed > 0 ? 0 : 1;
}

/**
 * The counts of a suite run's last summary line.
 * @param {string} output
 */
function lastCounts(output) {
  const lines = output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/gm);
  const last = [...lines].at(-1) ?? [];
  const [passed, failed, skipped] = last.slice(1).map((count) => Number(count ?? 0));
  return { passed: passed ?? 0, failed: failed ?? 0, skipped: skipped ?? 0 };
}
