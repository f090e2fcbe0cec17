/**
 * Opens a backend and builds the facade on it: the package's entry point.
 */

import { checkOptions } from '../core/check-arguments.ts';
import { type BackendOptions, chooseBackend } from '../open-backend.ts';
import { Context } from './context.ts';
import { explainedError } from './errors/explanations.ts';
import { Numa } from './numa.ts';
import { Topology } from './topology.ts';

const OPTION_NAMES = ['backend', 'machine', 'nativeBinding'] as const;

export interface OpenNumaOptions extends BackendOptions {}

/**
 * Opens this machine's memory, or a simulated machine's. Synchronous; reads nothing at import.
 * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for an unknown backend word (in the
 *   option or the environment), for a machine with another backend, and for what can be no addon;
 *   NumaError NUMA_BACKEND_UNAVAILABLE with the reason
 */
export function openNuma(options?: OpenNumaOptions): Numa {
  const { backend, reason } = chooseBackend(checkOptions(options, 'options', OPTION_NAMES));
  const snapshot = backend.topology();
  if (!snapshot.ok) {
    const { syscall, errno, path } = snapshot;
    const asked = path === undefined ? 'reading the topology' : `reading the topology, ${path}`;
    const args = path === undefined ? {} : { path };
    throw explainedError({ syscall, errno, asked, args, backend: backend.identity.kind });
  }
  const topology = new Topology(snapshot.value);
  const { incompleteReason } = topology;
  const why = incompleteReason === null ? reason : `${reason}; ${incompleteReason}`;
  return new Numa(new Context(backend, topology), why);
}
