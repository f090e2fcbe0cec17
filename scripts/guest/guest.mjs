// @ts-check
// Runs one command on a real kernel: lays the guest's file system together, boots, checks the
// machine, streams the outputs, and returns the exit status that the guest has recorded.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { chooseAccelerator, kvmReadySeconds, recordVerdict } from './accelerator.mjs';
import { guestAvailability } from './availability.mjs';
import { bootOnce } from './boot.mjs';
import { CpioWriter } from './cpio.mjs';
import { cacheFolder, exitCodes, findProgram, GuestError, projectFolder } from './host.mjs';
import { defaultKernel, resolveBusybox, resolveKernel } from './kernel.mjs';
import { joinLayers } from './layers.mjs';
import { MachineError, machineFile, readMachine } from './machine.mjs';
import { numactlLayer } from './numactl.mjs';
import { addProject, folderInGuest, packagesLayer } from './project-layer.mjs';
import { qemuArguments } from './qemu-arguments.mjs';
import { nodeLayer, userlandLayer } from './userland.mjs';

const guestFolder = join(cacheFolder, 'guest');
const lastConsoleLog = join(guestFolder, 'console.log');
const attemptsMax = 2;
const readyMsMax = 120_000;
const timeoutSecondsDefault = 900;
const remainsHoursMax = 6;
const keptLogsMax = 20;
const passedOn = ['CI', 'NO_COLOR', 'FORCE_COLOR'];

/**
 * @typedef {object} GuestOptions
 * @property {string[]} command program and its parameters, run in the project's folder
 * @property {string | undefined} [machine] path of a machine description
 * @property {string | undefined} [program] path of a static one in the project: the guest has
 *   nothing else, neither Node nor the project
 * @property {string | undefined} [kernel] a kernel line or the path of an image
 * @property {boolean | undefined} [icount] let guest time count instructions (one CPU only)
 * @property {number | undefined} [timeoutSeconds] for the whole run, retries included
 * @property {Record<string, string> | undefined} [env] environment of the command
 * @property {ReadonlyMap<string, string> | undefined} [files] more of them in the project's folder:
 *   path, text
 * @property {((chunk: Buffer) => void) | undefined} [onStdout]
 * @property {((chunk: Buffer) => void) | undefined} [onStderr]
 * @property {((write: (chunk: Buffer | string) => void) => void) | undefined} [onBegin] the command
 *   begins, again after a kernel's death; `write` sends to /dev/channel
 * @property {((line: string) => void) | undefined} [onNotice] what the run has to say about itself
 * @property {AbortSignal | undefined} [signal] ends the guest
 */

/**
 * @typedef {object} GuestResult
 * @property {number} exitCode the command's own
 * @property {'kvm' | 'tcg' | 'icount'} accelerator
 * @property {string} kernel release, as the guest's `uname -r` has it
 * @property {string} machine name of the machine
 * @property {number} attempts more than one when the guest's kernel died and was started again
 * @property {number} beginMs from QEMU's start to the command's
 * @property {number} wallMs the whole run
 * @property {string} consoleLog path of the kernel's log; the next good run overwrites it
 */

/**
 * @param {GuestOptions} options
 * @returns {Promise<GuestResult>}
 * @throws {GuestError} if the command's exit status is not known
 */
export async function runGuest(options) {
  const start = performance.now();
  const kernelChoice = options.kernel ?? defaultKernel;
  const machine = await readGuestMachine(options);
  const { available, reason, remedy } = guestAvailability({ kernel: kernelChoice });
  if (!available) throw new GuestError(reason, { exitCode: exitCodes.unavailable, remedy });

  const kernel = await resolveKernel(kernelChoice);
  const userland = await userlandLayer(await resolveBusybox());
  const layers = options.program
    ? [userland]
    : [userland, await nodeLayer(), packagesLayer(), numactlLayer()];
  dropRemains();
  const folder = mkdtempSync(join(guestFolder, 'run-'));
  try {
    const own = join(folder, 'run.cpio');
    writeRunLayer(own, { machine, modules: kernel.modules }, options);
    const initrd = join(folder, 'initrd.cpio');
    joinLayers([...layers.filter((layer) => layer !== undefined), own], initrd);
    const deadline = start + (options.timeoutSeconds ?? timeoutSecondsDefault) * 1000;
    const consoleLog = `${folder}.log`;
    const plan = { machine, kernel, initrd, deadline, consoleLog, options };
    const result = await bootWithRetries(plan);
    return { ...result, machine: machine.name, wallMs: Math.round(performance.now() - start) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The machine file of a run; guest time can count instructions only on one CPU.
 * @param {GuestOptions} options
 */
async function readGuestMachine({ machine: path, icount = false }) {
  const fallback = machineFile(icount ? 'four-nodes-single-cpu' : 'four-nodes');
  const machine = await readMachine(path ?? fallback);
  const cpuCount = machine.nodes.reduce((count, node) => count + node.cpus.length, 0);
  if (icount && cpuCount !== 1) {
    throw new MachineError('nodes[].cpus', `must hold one CPU for --icount, not ${cpuCount}`);
  }
  return machine;
}

/** Removes what killed runs have left in the cache, and the logs of all but the last failures. */
function dropRemains() {
  mkdirSync(guestFolder, { recursive: true });
  const remains = readdirSync(guestFolder)
    .filter((name) => name.startsWith('run-'))
    .map((name) => {
      const path = join(guestFolder, name);
      const mtimeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      return { path, mtimeMs, isLog: name.endsWith('.log') };
    })
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
  const logs = remains.filter(({ isLog }) => isLog).slice(keptLogsMax);
  const oldest = Date.now() - remainsHoursMax * 3600 * 1000;
  const folders = remains.filter(({ isLog, mtimeMs }) => !isLog && mtimeMs < oldest);
  for (const { path } of [...logs, ...folders]) rmSync(path, { recursive: true, force: true });
}

/**
 * The layer of this run: the project as it is now, the command, the kernel's modules, and the
 * marker file that allows dangerous tests.
 * @param {string} path
 * @param {{ machine: import('./machine.mjs').Machine, modules: string[] }} booted
 * @param {GuestOptions} options
 */
function writeRunLayer(path, { machine, modules }, options) {
  const { command, env = {}, files = new Map(), program } = options;
  const archive = new CpioWriter(path);
  if (program) archive.copy(join(projectFolder, program), join(folderInGuest, program), 0o755);
  else addProject(archive);
  for (const module of modules) archive.copy(module, join('lib/modules', basename(module)), 0o644);
  for (const [name, text] of files) archive.file(join(folderInGuest, name), text);
  archive.file('etc/node-numa-guest', `${JSON.stringify(machine)}\n`);
  const passed = passedOn.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const variables = Object.entries({ ...Object.fromEntries(passed), ...env });
  const lines = [
    ...variables.map(([name, value]) => `export ${name}=${quote(value)}`),
    `cd ${folderInGuest} || exit 126`,
    `exec ${command.map(quote).join(' ')}`,
  ];
  archive.file('run/command', `${lines.join('\n')}\n`);
  archive.close();
}

/**
 * Quotes a word for the guest's shell.
 * @param {string} word
 */
function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * @typedef {object} Plan
 * @property {import('./machine.mjs').Machine} machine
 * @property {import('./kernel.mjs').GuestKernel} kernel
 * @property {string} initrd
 * @property {number} deadline on the clock of performance.now()
 * @property {string} consoleLog
 * @property {GuestOptions} options
 */

/**
 * @param {Plan} plan
 * @returns {Promise<Omit<GuestResult, 'machine' | 'wallMs'>>}
 */
async function bootWithRetries(plan) {
  const notice = plan.options.onNotice ?? (() => {});
  let choice = chooseAccelerator(plan.options);
  for (let attempts = 1; ; attempts++) {
    const { accelerator } = choice;
    notice(`${accelerator} (${choice.reason}), ${plan.kernel.name}, machine ${plan.machine.name}`);
    const outcome = await boot(plan, choice);
    if (choice.isProbe && outcome.kind !== 'aborted') {
      const reason = outcome.kind === 'exited' ? '' : outcome.message;
      const works = outcome.kind === 'exited' || outcome.wasReady;
      recordVerdict(works, reason);
      if (!works) {
        notice(`no guest under KVM (${reason}): going on with emulation`);
        choice = chooseAccelerator(plan.options);
        attempts--;
        continue;
      }
    }
    if (outcome.kind === 'exited') {
      const { exitCode, kernel, beginMs } = outcome;
      keepAsLast(plan.consoleLog);
      const consoleLog = lastConsoleLog;
      return { exitCode, accelerator, kernel, attempts, beginMs, consoleLog };
    }
    if (outcome.kind !== 'panic' || attempts >= attemptsMax) {
      throw failure(outcome, plan.consoleLog, attempts);
    }
    notice(`the guest's kernel died (${outcome.message}); starting the command once more`);
  }
}

/**
 * The cache may be emptied at any time: a lost log is no reason to lose a result.
 * @param {string} consoleLog
 */
function keepAsLast(consoleLog) {
  if (existsSync(consoleLog)) renameSync(consoleLog, lastConsoleLog);
}

/**
 * @param {Plan} plan
 * @param {import('./accelerator.mjs').AcceleratorChoice} choice
 */
function boot({ machine, kernel, initrd, deadline, consoleLog, options }, choice) {
  const endMsMax = Math.max(1, deadline - performance.now());
  const { accelerator } = choice;
  // Counted instructions make idle time pass at once: no time limit inside such a guest.
  const guestSeconds = accelerator === 'icount' ? 0 : Math.ceil(endMsMax / 1000) + 60;
  const setting = { machine, accelerator, kernelImage: kernel.image, initrd, guestSeconds };
  return bootOnce({
    program: /** @type {string} */ (findProgram('qemu-system-x86_64')),
    parameters: qemuArguments(setting),
    machine,
    consoleLog,
    readyMsMax: choice.isProbe ? kvmReadySeconds * 1000 : readyMsMax,
    endMsMax,
    onStdout: options.onStdout ?? (() => {}),
    onStderr: options.onStderr ?? (() => {}),
    onBegin: options.onBegin,
    signal: options.signal,
  });
}

/**
 * @param {Exclude<import('./boot.mjs').BootOutcome, { kind: 'exited' }>} outcome
 * @param {string} consoleLog
 * @param {number} attempts
 */
function failure({ kind, message }, consoleLog, attempts) {
  const texts = {
    silent: `the guest did not start: ${message}`,
    panic: `the guest's kernel died ${attempts} times: ${message}`,
    lost: `the guest ended without an exit record: ${message}`,
    timeout: `the guest was stopped: ${message}`,
    aborted: `the guest was stopped: ${message}`,
    differs: `the guest's machine differs from its description:\n${message}`,
  };
  const exitCode = kind === 'timeout' ? exitCodes.timeout : exitCodes.guestFailed;
  return new GuestError(texts[kind], { exitCode, consoleLog });
}
