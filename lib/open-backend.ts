/**
 * Chooses the backend, and says why. Nothing is chosen silently: what cannot be had is an error
 * with its reason, and the reason of every choice is part of the result.
 */

import { platform } from 'node:os';
import type { Backend } from './backend/backend.ts';
import { invalidArgumentType } from './core/argument-errors.ts';
import { checkWord } from './core/check-arguments.ts';
import { NumaError } from './core/errors.ts';
import { hostMemoryNodeCount, openNativeBackend } from './native-backend/native-backend.ts';

/** Words that choose a backend. */
export type BackendChoice = 'auto' | 'native' | 'simulator';

export interface ChosenBackend {
  readonly backend: Backend;
  readonly reason: string;
}

const CHOICES: readonly BackendChoice[] = ['auto', 'native', 'simulator'];

/**
 * Explicit option, then NODE_NUMA_BACKEND, then `auto`.
 * @throws TypeError ERR_INVALID_ARG_VALUE, NumaError NUMA_BACKEND_UNAVAILABLE
 */
export function chooseBackend(option: BackendChoice | Backend | undefined): ChosenBackend {
  if (typeof option === 'object') {
    checkBackend(option);
    return { backend: option, reason: 'given by the caller' };
  }
  if (option !== undefined) {
    return openChoice(checkWord(option, 'options.backend', CHOICES), 'asked for by the caller');
  }
  const variable = process.env['NODE_NUMA_BACKEND'];
  if (variable !== undefined && variable !== '') {
    const choice = checkWord(variable, 'NODE_NUMA_BACKEND', CHOICES);
    return openChoice(choice, 'asked for by NODE_NUMA_BACKEND');
  }
  return openAuto();
}

function openChoice(choice: BackendChoice, reason: string): ChosenBackend {
  if (choice === 'auto') return openAuto();
  if (choice === 'native') return openNative(reason);
  throw unavailable(
    'the simulator is not part of this version',
    "use openNuma({ backend: 'native' }) on Linux",
  );
}

function openAuto(): ChosenBackend {
  if (platform() !== 'linux') {
    throw unavailable(
      `${platform()} has no NUMA memory policy, and the simulator is not part of this version`,
      'run on Linux with two or more nodes, or in the QEMU guest (npm run guest)',
    );
  }
  const nodeCount = hostMemoryNodeCount();
  if (nodeCount === 0) {
    throw unavailable(
      'this host does not tell which nodes it has (no /sys/devices/system/node), and the ' +
        'simulator is not part of this version',
      "openNuma({ backend: 'native' }) asks the kernel all the same",
    );
  }
  if (nodeCount === 1) {
    throw unavailable(
      'this host has one node with memory, where nothing can be moved between nodes, and the ' +
        'simulator is not part of this version',
      "openNuma({ backend: 'native' }) works on the one node; the QEMU guest has four",
    );
  }
  return openNative(`this host has ${nodeCount} nodes with memory`);
}

function openNative(reason: string): ChosenBackend {
  const opened = openNativeBackend();
  if (!opened.ok) throw unavailable(opened.reason, opened.hint);
  return { backend: opened.backend, reason };
}

function unavailable(reason: string, hint: string): NumaError {
  return new NumaError(`no backend: ${reason}`, { code: 'NUMA_BACKEND_UNAVAILABLE', hint });
}

/** A third party's object must at least look like a backend: a clear error now, not later. */
function checkBackend(value: unknown): void {
  const candidate = value as Partial<Backend> | null;
  const missing = BACKEND_METHODS.filter((name) => typeof candidate?.[name] !== 'function');
  const hasIdentity = typeof candidate?.identity?.kind === 'string';
  if (missing.length === 0 && hasIdentity && typeof candidate.pageSizeBytes === 'number') return;
  const lacks = missing.length > 0 ? missing.join(', ') : 'identity or pageSizeBytes';
  const rule = `'auto', 'native', 'simulator' or a Backend (this object lacks ${lacks})`;
  throw invalidArgumentType('options.backend', rule, value);
}

type BackendMethod = Exclude<keyof Backend, 'identity' | 'pageSizeBytes'>;

/** Every method; the type makes sure that none is forgotten. */
const BACKEND_METHODS = Object.keys({
  topology: true,
  nodeMemory: true,
  mmap: true,
  attach: true,
  arrayBuffer: true,
  munmap: true,
  touch: true,
  setMempolicy: true,
  getMempolicy: true,
  getcpu: true,
  schedSetaffinity: true,
  schedGetaffinity: true,
  mbind: true,
  setMempolicyHomeNode: true,
  movePages: true,
  movePagesSync: true,
  pagemap: true,
  maps: true,
  migratePages: true,
} satisfies Record<BackendMethod, true>) as BackendMethod[];
