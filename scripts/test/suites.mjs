// @ts-check
// The suites, and the two kinds of part that run them: on this host, and in a guest.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runGuest } from '../guest/guest.mjs';
import { GuestError, projectFolder } from '../guest/host.mjs';
import { memoryNodeCount, numaCallObstacle } from '../host-kernel.mjs';

/** Those of the contract, which any machine must pass. */
const contractSuites = ['test/backends'];
/** The families of the contract that a machine's nodes, distances and CPUs make a difference to. */
const machineFamilies = [
  ...['topology', 'nodes and distances', 'fallback order', 'full nodes', 'first touch'],
  ...['interleaving', 'home node', 'weight', 'migrating processes', 'cpusets'],
  ...['policies in a cpuset', 'node counters'],
];
/** Those that numbers of nodes with gaps, or nodes without memory, make a difference to. */
const idFamilies = [
  ...['moving pages', 'misplaced pages', 'range policy', 'thread policy', 'policy query'],
  ...['mask decoding', 'counted pages'],
];
/** What the commands show of nodes, beside what Debian's numactl and numastat show. */
const nodeCommands = 'test/cli/nodes-like-numactl';
const commandNames = ['nodes shows', 'stat shows'];
/** @param {string[]} names of families or tests */
const nodesOnly = (...names) => [
  ...contractSuites,
  nodeCommands,
  ...['-t', `(${[...names, ...commandNames].join('|')})`],
];
export const machineSuites = nodesOnly(...machineFamilies);
export const idSuites = nodesOnly(...machineFamilies, ...idFamilies);
/** What a kernel's version makes a difference to: the contract, and how a move is told. */
export const versionSuites = [
  ...contractSuites,
  ...['migrate.test', 'migrate-pinned', 'migrate-huge-pages', 'process-moves'].map(
    (name) => `test/facade/${name}`,
  ),
];
/**
 * Tests of many seconds: the oldest and the newest kernel run them, those between in the whole
 * matrix only (npm run test:kernels).
 */
const longNames = [
  ...['pages are marked, or not', 'huge pages are marked as', 'of the pool are not marked'],
  ...['on one node is marked', 'while balancing is off nothing', 'tiering marks nothing'],
  ...['a range follows the CPU', 'a reference keeps pages', 'move until they are pinned'],
  ...['it moves in pieces', 'its pieces stay', 'move while they come and go', 'nothing is lost of'],
];
export const shortSuites = [...versionSuites, '-t', `^(?!.*(${longNames.join('|')}))`];
/** What needs fast memory and slow in tiers, which 6.1 does not make of any machine. */
export const tierSuites = nodesOnly('topology', 'promotion');
/** Commands that need several nodes, or Debian's own to compare with. */
const commandSuites = [
  ...['examples', 'migrate-like-migratepages', 'relocate-service', 'run-like-numactl'],
  ...['run-show', 'simulate-record'],
].map((name) => `test/cli/${name}`);
/** What needs several nodes; how long the addon's memory lives is shown on the host. */
export const nodeSuites = [
  ...contractSuites,
  ...['test/facade', 'test/native/native-backend', nodeCommands],
  ...commandSuites,
];
/** Folders whose suites depend on the kernel; the others test what is the same everywhere. */
export const kernelSuites = [...contractSuites, 'test/facade', 'test/native'];
/** The same in a guest, with the commands. */
export const guestSuites = [...kernelSuites, nodeCommands, ...commandSuites];
const hostSuites = [
  'test/cli',
  'test/containers',
  'test/core',
  'test/differential',
  'test/package',
  'test/procfs',
  'test/services',
  'test/simulator',
  'test/style',
  'test/testing',
];

const vitest = ['node_modules/vitest/vitest.mjs', 'run'];

/**
 * All suites on this host, as far as its kernel lets them. Needs the built package.
 * @returns {Promise<{ part: import('./part.mjs').Part, obstacle: string | undefined }>}
 */
export async function hostPart() {
  const obstacle = await numaCallObstacle();
  const nodes = memoryNodeCount() >= 2 ? 'host-multi-node' : 'host-single-node';
  const suites = obstacle === undefined ? [...hostSuites, ...kernelSuites] : hostSuites;
  const environment = obstacle === undefined ? nodes : 'host-denied';
  return { part: { environment, run: (work) => runOnHost(suites, work) }, obstacle };
}

/**
 * @param {string[]} suites
 * @param {import('./part.mjs').Work} work
 * @returns {Promise<import('./part.mjs').Ending>}
 */
function runOnHost(suites, { env, onStdout, onStderr, signal }) {
  return new Promise((resolve, reject) => {
    // Each file has a process of its own; what needs the machine to itself runs in guests only.
    const workers = `--maxWorkers=${availableParallelism()}`;
    const child = spawn(process.execPath, [...vitest, ...suites, workers], {
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
      resolve({ exitCode: code ?? 1, note: 'on this host' });
    });
  });
}

/**
 * @param {string} machine name of a file of scripts/machines
 * @param {string} kernel line
 * @param {string[]} suites
 * @returns {import('./part.mjs').Part}
 */
export function guestPart(machine, kernel, suites) {
  return {
    environment: `${machine}/${kernel}`,
    run: (work) => runInGuest({ machine, kernel, suites }, work),
  };
}

/**
 * @param {{ machine: string, kernel: string, suites: string[] }} guest
 * @param {import('./part.mjs').Work} work
 * @returns {Promise<import('./part.mjs').Ending>}
 */
async function runInGuest({ machine, kernel, suites }, { env, onStdout, onStderr, signal }) {
  try {
    const done = await runGuest({
      // A guest is one environment for all files, and starting processes is slow there.
      command: ['node', ...vitest, ...suites, '--no-isolate', '--maxWorkers=1'],
      machine: join(projectFolder, 'scripts', 'machines', `${machine}.json`),
      kernel,
      env,
      signal,
      onStdout,
      onStderr,
      onNotice: (line) => onStderr(Buffer.from(`${line}\n`)),
    });
    const again = done.attempts > 1 ? ', second attempt' : '';
    return { exitCode: done.exitCode, note: `${done.kernel}, ${done.accelerator}${again}` };
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    const log = error.consoleLog ? ` (kernel log: ${error.consoleLog})` : '';
    return { exitCode: error.exitCode, note: `${error.message}${log}` };
  }
}
