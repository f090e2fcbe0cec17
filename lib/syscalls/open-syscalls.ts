/**
 * Where the bare calls go: to the backend of a Numa, to one that the caller made, or to this
 * machine's kernel.
 */

import type { Backend } from '../backend/backend.ts';
import { backendOf, isNuma, type Numa } from '../facade/numa.ts';
import { chooseBackend } from '../open-backend.ts';
import { Syscalls } from './syscalls.ts';

/**
 * The six calls over a backend.
 * @param over default: this host's kernel, also on a host with one node
 * @throws TypeError ERR_INVALID_ARG_TYPE; NumaError NUMA_BACKEND_UNAVAILABLE where the addon or
 *   libnuma cannot be loaded
 */
export function openSyscalls(over?: Numa | Backend): Syscalls {
  if (isNuma(over)) return new Syscalls(backendOf(over));
  return new Syscalls(chooseBackend({ backend: over === undefined ? 'native' : over }).backend);
}
