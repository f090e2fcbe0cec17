// @ts-check
// The suites, and the two kinds of part that run them: on this host, and in a guest.

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runGuest } from '../guest/guest.mjs';
import { GuestError, projectFolder } from '../guest/host.mjs';
import { machineFile } from '../guest/machine.mjs';
import { withServingGuest } from '../guest/serving-guest.mjs';
import { memoryNodeCount, numaCallObstacle } from '../host-kernel.mjs';
import { compiledFiles, takesCompiled } from './compiled.mjs';

/** The contract by raw calls: a guest's kernel is asked from outside. */
export const kernelContract = ['test/backends/kernel'];
/** The contract through the addon, which runs where the kernel is. */
const addonContract = ['test/backends/native'];
/** What the commands show of nodes, beside what Debian's numactl and numastat show. */
const nodeCommands = 'test/cli/nodes-like-numactl';
/** @param {string} tags of test/support/tags.ts, with && || ! */
const only = (tags) => ['--tags-filter', tags];
export const cpuContract = [...kernelContract, ...only('cpus')];
/** The same, and what waits for balancing's scanner. */
export const scannerContract = [...kernelContract, ...only('cpus || scanner')];
export const machineContract = [...kernelContract, ...only('nodes')];
/** Where nodes have numbers with gaps, or no memory. */
export const idContract = [...kernelContract, ...only('nodes || node-numbers')];
/** How the addon and the commands see a machine. */
export const machineSuites = [...addonContract, nodeCommands, ...only('shown-nodes')];
/** What machines show, and what needs tiers, which 6.1 makes of no machine. */
export const tierContract = [...kernelContract, ...only('shown-nodes || tiers')];
/** What a kernel's version makes a difference to: the addon's calls, the fields of files, and how a
 *  move is told. */
export const versionSuites = [
  ...[...addonContract, nodeCommands],
  ...[
    'migrate.test',
    'migrate-pinned',
    'migrate-huge-pages',
    'place',
    'process-moves',
    'weights',
  ].map((name) => `test/facade/${name}`),
];
/** Commands that need several nodes, or Debian's own to compare with. */
const commandSuites = [
  ...['examples', 'migrate-like-migratepages', 'relocate-service', 'run-like-numactl'],
  ...['run-show', 'simulate-record'],
].map((name) => `test/cli/${name}`);
/** What needs several nodes; how long the addon's memory lives is shown on the host. */
export const nodeSuites = [
  ...[...addonContract, 'test/facade', 'test/native/native-backend', nodeCommands],
  ...commandSuites,
];
/** Folders whose suites depend on the kernel; the others test what is the same everywhere. */
const kernelFolders = ['backends', 'facade', 'input', 'native'];
/** The same in a guest, with the commands, but for what is asked from outside. */
export const guestSuites = [
  ...[...addonContract, 'test/facade', 'test/native', nodeCommands],
  ...commandSuites,
];
const vitest = ['node_modules/vitest/vitest.mjs', 'run'];
/** Path in the project's folder, which is the guest's current one. */
export const puppet = 'build/Release/puppet';

/**
 * What this host is, and the suites that its kernel lets run.
 * @returns {Promise<{ environment: string, suites: string[], obstacle: string | undefined }>}
 */
export async function hostSuitesHere() {
  const obstacle = await numaCallObstacle();
  const nodes = memoryNodeCount() >= 2 ? 'host-multi-node' : 'host-single-node';
  const isLeftOut = (/** @type {string} */ folder) => {
    return obstacle !== undefined && kernelFolders.includes(folder);
  };
  const suites = readdirSync(join(projectFolder, 'test'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !isLeftOut(entry.name))
    .map(({ name }) => `test/${name}/`);
  return { environment: obstacle === undefined ? nodes : 'host-denied', suites, obstacle };
}

/**
 * Suites on this host. Needs the built package.
 * @param {string} environment
 * @param {string[]} suites
 * @returns {import('./part.mjs').Part}
 */
export function hostPart(environment, suites) {
  /** @param {import('./part.mjs').Work} work */
  const run = async (work) => {
    // What needs the machine to itself runs in guests only.
    const env = { ...work.env, NODE_NUMA_TEST_WORKERS: `${availableParallelism()}` };
    return { exitCode: await runOnHost(suites, { ...work, env }), note: 'on this host' };
  };
  return { name: environment, environment, run };
}

/**
 * @param {string[]} parameters of vitest
 * @param {import('./part.mjs').Work} work
 * @returns {Promise<number>} exit status
 */
export function runOnHost(parameters, { env, onStdout, onStderr, signal }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...vitest, ...parameters], {
      cwd: projectFolder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = () => child.kill();
    signal.addEventListener('abort', stop);
    child.stdout.on('data', onStdout);
    child.stderr.on('data', onStderr);
    child.on('error', reject);
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? 1);
    });
  });
}

/**
 * @typedef {object} Cell a machine with a kernel, and what it runs
 * @property {string} machine name of a file of machines/
 * @property {string} kernel line
 * @property {string[]} suites with parameters of vitest
 * @property {string} [title] of a cell that runs a second time
 * @property {boolean} [isWhole] as a part's
 * @property {number} [timeoutSeconds] as a guest's
 * @property {boolean} [isAsked] the suites stay outside of the guest, and ask by a puppet
 */

/**
 * @param {Cell} cell
 * @returns {import('./part.mjs').Part}
 */
export function guestPart(cell) {
  const environment = `${cell.machine}/${cell.kernel}`;
  return {
    name: [environment, cell.isAsked ? 'asked' : '', cell.title ?? ''].filter(Boolean).join(' '),
    environment,
    isWhole: cell.isWhole ?? false,
    run: (work) => runCell(cell, work),
  };
}

/**
 * @param {Cell} cell
 * @param {import('./part.mjs').Work} work
 * @returns {Promise<import('./part.mjs').Ending>}
 */
async function runCell(cell, work) {
  try {
    return await (cell.isAsked ? askGuest(cell, work) : runInGuest(cell, work));
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    const log = error.consoleLog ? ` (kernel log: ${error.consoleLog})` : '';
    return { exitCode: error.exitCode, note: `${error.message}${log}` };
  }
}

/**
 * @param {Cell} cell
 * @param {import('./part.mjs').Work} work
 */
function guestOf({ machine, kernel, timeoutSeconds }, { signal, onStderr }) {
  return {
    timeoutSeconds,
    machine: machineFile(machine),
    kernel,
    signal,
    onStderr,
    onNotice: (/** @type {string} */ line) => onStderr(Buffer.from(`${line}\n`)),
  };
}

/**
 * @param {Cell} cell
 * @param {import('./part.mjs').Work} work
 * @returns {Promise<import('./part.mjs').Ending>}
 */
async function runInGuest(cell, work) {
  const done = await runGuest({
    ...guestOf(cell, work),
    command: ['node', ...vitest, ...cell.suites, ...takesCompiled],
    files: await compiledFiles(),
    env: work.env,
    onStdout: work.onStdout,
  });
  const again = done.attempts > 1 ? ', second attempt' : '';
  return { exitCode: done.exitCode, note: `${done.kernel}, ${done.accelerator}${again}` };
}

/**
 * @param {Cell} cell
 * @param {import('./part.mjs').Work} work
 * @returns {Promise<import('./part.mjs').Ending>}
 */
async function askGuest(cell, work) {
  let exitCode = 1;
  await withServingGuest(guestOf(cell, work), {
    program: puppet,
    use: async (socket) => {
      const env = { ...work.env, NODE_NUMA_GUEST_PORT: socket };
      exitCode = await runOnHost(cell.suites, { ...work, env });
    },
  });
  return { exitCode, note: `${cell.kernel}, asked from this host` };
}
