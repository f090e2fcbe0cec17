/**
 * Opens a backend and builds the facade on it: the package's entry point.
 */

import type { Backend } from '../backend/backend.ts';
import { checkOptions } from '../core/check-arguments.ts';
import { systemError } from '../core/errors.ts';
import { type BackendChoice, chooseBackend } from '../open-backend.ts';
import { Numa } from './numa.ts';
import { Session } from './session.ts';
import { Topology } from './topology.ts';

export interface OpenNumaOptions {
  /**
   * `auto` (default): native on Linux hosts with two or more nodes that have memory. `native` and
   * `simulator` force one; a third party's Backend object is taken as it is. Overrides the
   * environment variable NODE_NUMA_BACKEND.
   */
  readonly backend?: BackendChoice | Backend;
}

/**
 * Opens this machine's memory. Synchronous; reads nothing at import.
 * @throws TypeError ERR_INVALID_ARG_VALUE for an unknown backend word (in the option or the
 *   environment), NumaError NUMA_BACKEND_UNAVAILABLE with the reason
 */
export function openNuma(options?: OpenNumaOptions): Numa {
  const { backend: choice } = checkOptions(options, 'options', ['backend']);
  const { backend, reason } = chooseBackend(choice);
  const snapshot = backend.topology();
  if (!snapshot.ok) {
    const { syscall, errno } = snapshot;
    const asked = 'reading the topology';
    throw systemError({ syscall, errno, asked, args: {}, backend: backend.identity.kind });
  }
  return new Numa(new Session(backend, new Topology(snapshot.value)), reason);
}
