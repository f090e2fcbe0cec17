/**
 * Chooses the backend, and says why. Nothing is chosen silently: what cannot be had is an error
 * with its reason, and the reason of every choice is part of the result.
 */

import { platform, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Backend } from './backend/backend.ts';
import { invalidArgumentType, invalidArgumentValue } from './core/argument-errors.ts';
import { type NumaMethod, numaMethods } from './core/calls.ts';
import { checkWord, isInstance, reading } from './core/check-arguments.ts';
import { NumaError } from './core/errors.ts';
import { kernelLineOf, newestKernelLine } from './core/kernels.ts';
import type { MachineDescription } from './core/machine-description.ts';
import { LOCAL_DISTANCE } from './core/uapi.ts';
import { MIB_BYTES } from './core/units.ts';
import { hostFiles } from './native-backend/host-files.ts';
import {
  hostAsOneNode,
  hostMemoryNodes,
  openNativeBackend,
} from './native-backend/native-backend.ts';
import { defaultMachine, giveFiles, isMachine, Machine } from './simulator/simulated-machine.ts';

/** Words that choose a backend. */
export type BackendChoice = 'auto' | 'host' | 'native' | 'simulator';

/** The addon: where its file is, or what a program has loaded from there itself. */
export type NativeBinding = string | URL | object;

export interface ChosenBackend {
  readonly backend: Backend;
  readonly reason: string;
}

/** What the caller asks for. */
export interface BackendOptions {
  /**
   * `auto` (default): native on Linux hosts with two or more nodes that have memory, the simulator
   * elsewhere. `host`, for services: this machine as it is, one node included; where the addon
   * cannot be loaded and there is one node, a simulated machine of one node of its size. `native`
   * and `simulator` force one; a third party's Backend object is taken as it is. Overrides the
   * environment variable NODE_NUMA_BACKEND.
   */
  readonly backend?: BackendChoice | Backend;
  /** A machine of `node-numa/simulator`, which means the simulator. */
  readonly machine?: Machine;
  /**
   * Where the addon is taken from when the native backend is opened, for programs that were made
   * one file: the path of node_numa.node (relative to the current folder), its `file:` URL, or
   * the addon that the program has loaded itself. Default: the file that the environment variable
   * NODE_NUMA_BINDING names, then build/Release and prebuilds/ of the package. Worker threads and
   * child processes find theirs by the variable, or by an option of their own.
   */
  readonly nativeBinding?: NativeBinding;
}

const CHOICES: readonly BackendChoice[] = ['auto', 'host', 'native', 'simulator'];
const ASKED = 'asked for by the caller';

/**
 * Explicit option, then NODE_NUMA_BACKEND, then `auto`.
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; NumaError NUMA_BACKEND_UNAVAILABLE
 */
export function chooseBackend(options: BackendOptions): ChosenBackend {
  const { backend, machine } = options;
  const binding = checkBinding(options.nativeBinding);
  if (machine !== undefined) return openMachine(checkMachine(machine), backend);
  if (typeof backend === 'object') {
    checkBackend(backend);
    return { backend, reason: 'given by the caller' };
  }
  if (backend !== undefined) {
    return openChoice(checkWord(backend, 'options.backend', CHOICES), ASKED, binding);
  }
  const variable = process.env['NODE_NUMA_BACKEND'];
  if (variable !== undefined && variable !== '') {
    const choice = checkWord(variable, 'NODE_NUMA_BACKEND', CHOICES);
    return openChoice(choice, 'asked for by NODE_NUMA_BACKEND', binding);
  }
  return openAuto(binding);
}

/** Refuses what can be no addon; what is none is told when it is loaded. */
function checkBinding(value: unknown): string | object | undefined {
  const argument = 'options.nativeBinding';
  if (value === undefined) return undefined;
  if (typeof value === 'string') {
    if (value.endsWith('.node') && !value.includes('\0')) return value;
    throw invalidArgumentValue(argument, 'must be the path of a .node file', value);
  }
  if (isInstance(value, URL)) {
    if (/^file:\/\/\/.*\.node$/.test(value.href)) return fileURLToPath(value);
    throw invalidArgumentValue(argument, 'must be the file: URL of a .node file', value.href);
  }
  if (typeof value === 'object' && value !== null) return value;
  throw invalidArgumentType(argument, "a path, a file: URL, or node-numa's loaded addon", value);
}

function checkMachine(value: unknown): Machine {
  if (isMachine(value)) return value;
  throw invalidArgumentType('options.machine', 'a Machine of node-numa/simulator', value);
}

/** A machine means the simulator, whatever the environment says. */
function openMachine(machine: Machine, choice: BackendOptions['backend']): ChosenBackend {
  if (typeof choice === 'object') checkBackend(choice);
  else if (choice !== undefined) checkWord(choice, 'options.backend', CHOICES);
  if (typeof choice === 'object' || choice === 'host' || choice === 'native') {
    const rule = "must be left out, 'auto' or 'simulator' where options.machine is given";
    throw invalidArgumentValue('options.backend', rule, choice);
  }
  const reason = `the caller gave the machine "${machine.description.name}"`;
  return { backend: backendOf(machine), reason };
}

/** With the host's files, for memory of them: a simulated machine has none. */
function backendOf(machine: Machine): Backend {
  giveFiles(machine, hostFiles);
  return machine.self.backend;
}

function openChoice(
  choice: BackendChoice,
  reason: string,
  binding?: string | object,
): ChosenBackend {
  switch (choice) {
    case 'auto':
      return openAuto(binding);
    case 'host':
      return openHost(reason, binding);
    case 'native':
      return openNative(reason, binding);
    case 'simulator':
      return openPreset(reason);
  }
}

function openAuto(binding?: string | object): ChosenBackend {
  if (platform() !== 'linux') return openPreset(`${platform()} has no NUMA memory policy`);
  const { count, reason } = hostMemoryNodes();
  return count === 1 ? openPreset(reason) : openNative(reason, binding);
}

/** One machine for each thread of JavaScript: who opens it twice has one memory, as on a host. */
function openPreset(reason: string): ChosenBackend {
  const machine = defaultMachine();
  const what = `simulates the preset "${machine.description.name}", not this host`;
  return { backend: backendOf(machine), reason: `${reason}; ${what}` };
}

function openNative(reason: string, binding?: string | object): ChosenBackend {
  const opened = openNativeBackend(binding);
  if (!opened.ok) throw unavailable(opened.reason, opened.hint);
  return { backend: opened.backend, reason };
}

/** This host; a machine of its size where no addon is, and nothing could be moved. */
function openHost(asked: string, binding?: string | object): ChosenBackend {
  const opened = openNativeBackend(binding);
  if (opened.ok) return { backend: opened.backend, reason: asked };
  const isLinux = platform() === 'linux';
  const nodes = isLinux ? hostMemoryNodes() : undefined;
  if (nodes !== undefined && nodes.count > 1) throw unavailable(opened.reason, opened.hint);
  oneNode ??= new Machine(describeHost(), {
    kernel: isLinux ? kernelLineOf(release()) : newestKernelLine,
  });
  const reasons = [asked, opened.reason, ...(nodes === undefined ? [] : [nodes.reason])];
  const reason = `${reasons.join('; ')}; simulates one node of its size`;
  return { backend: backendOf(oneNode), reason };
}

/** Of this thread of JavaScript, as the preset is. */
let oneNode: Machine | undefined;

function describeHost(): MachineDescription {
  const { memoryBytes, cpus } = hostAsOneNode();
  return {
    name: 'this-host',
    description: 'One node with the CPUs and the memory of this host',
    nodes: [{ id: 0, memoryMiB: Math.max(1, Math.floor(memoryBytes / MIB_BYTES)), cpus }],
    distances: [[LOCAL_DISTANCE]],
  };
}

function unavailable(reason: string, hint: string): NumaError {
  return new NumaError(`no backend: ${reason}`, { code: 'NUMA_BACKEND_UNAVAILABLE', hint });
}

/** A third party's object must at least look like a backend: a clear error now, not later. */
function checkBackend(value: unknown): void {
  const lacks = reading(value, 'options.backend', () => lackOf(value as Partial<Backend> | null));
  if (lacks === undefined) return;
  const words = CHOICES.map((word) => `'${word}'`).join(', ');
  const rule = `${words} or a Backend (this object lacks ${lacks})`;
  throw invalidArgumentType('options.backend', rule, value);
}

function lackOf(candidate: Partial<Backend> | null): string | undefined {
  const missing = BACKEND_METHODS.filter((name) => typeof candidate?.[name] !== 'function');
  if (missing.length > 0) return missing.join(', ');
  const hasIdentity = typeof candidate?.identity?.kind === 'string';
  const isNumber = (name: 'pageSizeBytes' | 'pid'): boolean =>
    typeof candidate?.[name] === 'number';
  const hasFacts = hasIdentity && isNumber('pageSizeBytes') && isNumber('pid');
  return hasFacts ? undefined : 'identity, pageSizeBytes or pid';
}

type BackendMethod = Exclude<keyof Backend, 'identity' | 'pageSizeBytes' | 'pid'>;

/** Beside the NUMA calls; the type makes sure that none is forgotten. */
const OTHER_METHODS = Object.keys({
  topology: true,
  nodeMemory: true,
  mmap: true,
  attach: true,
  arrayBuffer: true,
  bytesAt: true,
  mremap: true,
  fstat: true,
  open: true,
  close: true,
  munmap: true,
  touch: true,
  touchView: true,
  viewAddress: true,
  getcpu: true,
  schedSetaffinity: true,
  schedGetaffinity: true,
  madviseSync: true,
  madvise: true,
  msync: true,
  copyPages: true,
  pagemap: true,
  pagemapScan: true,
  mincore: true,
  maps: true,
  readText: true,
  readTextSync: true,
  writeText: true,
  stat: true,
  readNames: true,
} satisfies Record<Exclude<BackendMethod, NumaMethod>, true>) as BackendMethod[];

const BACKEND_METHODS: readonly BackendMethod[] = [...OTHER_METHODS, ...numaMethods];
