// @ts-check
// The matrix of machines and kernels: which cells there are, what must be there before the first
// guest starts, and several guests at a time.

import { availableParallelism } from 'node:os';
import { guestAvailability } from '../guest/availability.mjs';
import { GuestError } from '../guest/host.mjs';
import { defaultKernel, kernelLines, prepareKernels, resolveBusybox } from '../guest/kernel.mjs';
import { guestMachineNames } from '../guest/machine.mjs';
import { bothRuns, filesToRepeat, repeatedSuites } from './again.mjs';
import { runPart } from './part.mjs';
import {
  cpuContract,
  guestPart,
  guestSuites,
  idContract,
  kernelContract,
  machineContract,
  machineSuites,
  nodeSuites,
  scannerContract,
  tierContract,
  versionSuites,
} from './suites.mjs';
import { partLines, say } from './summary.mjs';

/** The contract is what kernels have in common: one kernel alone shows little of it. */
const kernelsMin = 2;
/** More guests than this need more memory than small machines have. */
const guestsMax = 4;
/** A machine of eight CPUs on a host that does much else takes this long for all of its tests. */
const wholeSeconds = 3600;

const mainMachine = 'four-nodes';
const singleCpuMachine = 'four-nodes-single-cpu';
/** For random programs with groups. */
const twoCpuMachine = 'four-nodes-two-cpus';
const tierMachine = 'hmat-tiers';
/** Numbers with gaps, or nodes without memory. */
const idMachines = ['sparse-ids', 'memoryless-node'];
/** Both, so that one guest with Node shows either. */
const oddMachine = 'odd-nodes';
/** @typedef {import('./part.mjs').Outcome} Outcome */
/** @typedef {import('./suites.mjs').Cell} Cell */

/**
 * @param {{ machines?: string[], kernels?: string[] }} [choice] all unless told
 * @returns {Cell[]}
 */
export function wholeMatrix({
  machines = guestMachineNames(),
  kernels = [...kernelLines.keys()],
} = {}) {
  const both = [
    { suites: kernelContract, isAsked: true, isWhole: true },
    { suites: guestSuites, isWhole: true },
  ].map((part) => ({ ...part, timeoutSeconds: wholeSeconds }));
  return kernels.flatMap((kernel) => {
    return machines.flatMap((machine) => both.map((part) => ({ machine, kernel, ...part })));
  });
}

/**
 * What the addon makes a difference to runs in guests of the oldest kernel and the newest. Every
 * kernel is asked for the whole contract on one CPU, where emulation is many times faster than on
 * several, and for the rest on several. On the oldest every machine is asked for what machines show
 * differently. Long cells first.
 * @param {{ isHostDenied: boolean }} host that may not make the calls leaves all suites to guests
 * @returns {Cell[]}
 */
export function ciMatrix({ isHostDenied }) {
  const kernels = [...kernelLines.keys()];
  const newest = kernels.at(-1) ?? defaultKernel;
  const between = kernels.filter((kernel) => kernel !== defaultKernel && kernel !== newest);
  const others = [mainMachine, singleCpuMachine, twoCpuMachine, tierMachine];
  const machines = guestMachineNames().filter((name) => !others.includes(name));
  /** @type {(machine: string, kernel: string, suites: string[]) => Cell} */
  const asked = (machine, kernel, suites) => ({ machine, kernel, suites, isAsked: true });
  return [
    {
      machine: mainMachine,
      kernel: defaultKernel,
      suites: isHostDenied ? guestSuites : nodeSuites,
    },
    { machine: mainMachine, kernel: newest, suites: versionSuites },
    asked(mainMachine, defaultKernel, scannerContract),
    asked(mainMachine, newest, scannerContract),
    // Whose nodes the addon and the commands could show wrongly: others number theirs as the main
    // machine does.
    { machine: oddMachine, kernel: defaultKernel, suites: machineSuites },
    asked(tierMachine, newest, tierContract),
    ...kernels.map((kernel) => asked(singleCpuMachine, kernel, kernelContract)),
    ...machines.map((machine) => {
      const contract = idMachines.includes(machine) ? idContract : machineContract;
      return asked(machine, defaultKernel, contract);
    }),
    ...between.map((kernel) => asked(mainMachine, kernel, cpuContract)),
  ];
}

/**
 * All that one kernel and one machine can show: what a developer's machine runs.
 * @returns {Cell[]}
 */
export function mainCells() {
  return [
    { machine: mainMachine, kernel: defaultKernel, suites: guestSuites },
    { machine: singleCpuMachine, kernel: defaultKernel, suites: kernelContract, isAsked: true },
    { machine: mainMachine, kernel: defaultKernel, suites: scannerContract, isAsked: true },
  ];
}

/**
 * @returns {number} guests that this machine runs at a time, unless told: one more than it has
 *   CPUs, since a guest that is asked waits a part of its time
 */
export function guestsDefault() {
  return Math.min(availableParallelism() + 1, guestsMax);
}

/**
 * @typedef {object} MatrixOptions
 * @property {AbortSignal} signal
 * @property {number} guests at a time
 * @property {boolean} [isRecording]
 * @property {string[]} [required] kernels whose absence is a failure
 * @property {Preparation} [preparation] of the cells, where it is made already
 * @property {import('./kept.mjs').KeptOutcomes | undefined} [kept] where results of this run go
 * @property {boolean} [isResumed] whether cells that are kept are left out
 */

/**
 * @typedef {object} Preparation
 * @property {Map<string, string>} obstacles kernel line → why it cannot be had
 * @property {Map<string, string>} kernels those that can be had: line → full name
 * @property {number} seconds that it took
 */

/**
 * Runs the cells and prints each as it ends. Cells whose kernel cannot be had are left out.
 * @param {Cell[]} cells
 * @param {MatrixOptions} options
 * @returns {Promise<Outcome[]>}
 */
export async function runMatrix(cells, { required = [], preparation, ...options }) {
  const lines = linesOf(cells);
  const { obstacles, kernels, seconds } = preparation ?? (await prepareMatrix(cells));
  say(`kernels ready after ${seconds.toFixed(1)} s; ${options.guests} guests at a time`);
  /** @type {Outcome[]} */
  const leftOut = [...obstacles].map(([line, note]) => {
    const verdict = required.includes(line) ? 'failed' : 'left out';
    return { name: `kernel ${line}`, verdict, seconds: 0, note };
  });
  for (const outcome of leftOut) for (const line of partLines(outcome)) say(line);

  const possible = cells.filter(({ kernel }) => !obstacles.has(kernel));
  /** @type {(Outcome & { kernel: string })[]} */
  const done = [];
  /** @type {Cell[]} */
  const open = [];
  const { kept } = options;
  for (const cell of possible) {
    const { kernel } = cell;
    const before = options.isResumed && kept?.find(guestPart(cell).name, kernels.get(kernel) ?? '');
    if (before) done.push({ ...before, note: `${before.note}, kept`, kernel });
    else open.push(cell);
  }
  if (options.isResumed) {
    say(`${done.length} of ${possible.length} cells are kept: they passed for these files`);
  }
  const work = async () => {
    for (let cell = open.shift(); cell && !options.signal.aborted; cell = open.shift()) {
      const { kernel } = cell;
      const outcome = await runCell(cell, options);
      // One that was cut short says nothing of what is kept.
      if (!options.signal.aborted) kept?.keep(outcome, kernels.get(kernel) ?? '');
      done.push({ ...outcome, kernel });
      if (kept) say(`${done.length} of ${possible.length} cells`);
    }
  };
  await Promise.all(Array.from({ length: options.guests }, work));
  const ran = new Set(done.filter(({ result }) => result).map(({ kernel }) => kernel));
  return [...leftOut, ...done, ...tooFew(ran, lines)];
}

/**
 * Runs a cell, and its failed files once more: an emulated machine beside others has faults of its
 * own, and what is true of a kernel is true the second time. What failed first is told at the end.
 * @param {Cell} cell
 * @param {Omit<MatrixOptions, 'required' | 'preparation'>} options
 * @returns {Promise<Outcome>}
 */
async function runCell(cell, options) {
  const first = await runPart(guestPart(cell), options);
  for (const line of partLines(first)) say(line);
  if (first.verdict !== 'failed' || options.signal.aborted) return first;
  const files = filesToRepeat(first);
  say(`${first.name} runs once more: ${files?.join(', ') ?? 'all of it'}`);
  const suites = repeatedSuites(cell.suites, files);
  // With a log of its own.
  const part = guestPart({ ...cell, suites, title: `${cell.title ?? ''} again`.trim() });
  const outcome = bothRuns(first, await runPart(part, options));
  for (const line of partLines(outcome)) say(line);
  return outcome;
}

/**
 * Fetches what guests need, before any of them starts: two would fetch it twice.
 * @param {Cell[]} cells
 * @returns {Promise<Preparation>}
 */
export async function prepareMatrix(cells) {
  const startMs = performance.now();
  const found = await kernelsFor(linesOf(cells));
  return { ...found, seconds: (performance.now() - startMs) / 1000 };
}

/** @param {Cell[]} cells */
function linesOf(cells) {
  return [...new Set(cells.map(({ kernel }) => kernel))];
}

/**
 * @param {string[]} lines
 * @returns {Promise<Omit<Preparation, 'seconds'>>}
 */
async function kernelsFor(lines) {
  const { available, reason, remedy } = guestAvailability({ kernel: lines[0] ?? defaultKernel });
  /** @param {string} obstacle to all of them */
  const none = (obstacle) => {
    return { obstacles: new Map(lines.map((line) => [line, obstacle])), kernels: new Map() };
  };
  const isWorthTrying = available || reason.startsWith('kernel ');
  if (!isWorthTrying) return none(`${reason}; ${remedy}`);
  try {
    await resolveBusybox();
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    return none(`${error.message}; ${error.remedy}`);
  }
  const obstacles = new Map();
  const kernels = new Map();
  for (const entry of await prepareKernels(lines)) {
    if ('obstacle' in entry) obstacles.set(entry.line, reasonOf(entry.obstacle.message));
    else kernels.set(entry.line, entry.kernel.name);
  }
  return { obstacles, kernels };
}

/**
 * One line of a message that may quote all that apt said.
 * @param {string} message
 */
function reasonOf(message) {
  const complaint = /^E: (.*)$/m.exec(message)?.[1];
  return complaint ? `could not be fetched: ${complaint}` : (message.split('\n', 1)[0] ?? '');
}

/**
 * @param {Set<string>} ran
 * @param {string[]} lines
 * @returns {Outcome[]} a failure, where too few kernels could be asked
 */
function tooFew(ran, lines) {
  const wanted = Math.min(kernelsMin, lines.length);
  if (ran.size >= wanted) return [];
  const note = `suites ran on ${ran.size} of ${lines.length}, at least ${wanted} must answer`;
  return [{ name: 'kernels', verdict: 'failed', seconds: 0, note }];
}
