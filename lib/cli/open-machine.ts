/**
 * Which machine a command speaks of: this host, or the simulated one that `--machine` names.
 * A command never shows simulated data as the host's.
 */

import { NumaError } from '../core/errors.ts';
import { type KernelLine, kernelLines } from '../core/kernels.ts';
import type { Numa } from '../facade/numa.ts';
import { openNuma } from '../facade/open-numa.ts';
import { machineAfter } from '../services/scenario/play.ts';
import { Machine } from '../simulator/simulated-machine.ts';
import type { SharedOptions } from './command.ts';
import { readMachine } from './machine-file.ts';
import { UsageError } from './usage-error.ts';

/** @throws NumaError NUMA_BACKEND_UNAVAILABLE; UsageError */
export function openMachine({ machine, kernel }: SharedOptions): Numa {
  if (machine === undefined) {
    if (kernel !== undefined) throw new UsageError('--kernel needs --machine: this host has one');
    return openHost();
  }
  return openNuma({ machine: simulatedMachine(machine, parseKernel(kernel)) });
}

/**
 * The simulated machine of a name or a path. One of a scenario is as its last step leaves it.
 * @throws UsageError
 */
export function simulatedMachine(nameOrPath: string, kernel: KernelLine | undefined): Machine {
  const { scenario, description } = readMachine(nameOrPath);
  if (scenario === undefined) {
    return new Machine(description, kernel === undefined ? {} : { kernel });
  }
  try {
    return machineAfter(scenario, { kernel });
  } catch (error) {
    throw new UsageError(`--machine ${nameOrPath}: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws UsageError naming the kernels that the simulator knows */
export function parseKernel(kernel: string | undefined): KernelLine | undefined {
  const line = kernelLines.find((known) => known === kernel);
  if (kernel !== undefined && line === undefined) {
    throw new UsageError(`--kernel ${kernel}: the simulator knows ${kernelLines.join(', ')}`);
  }
  return line;
}

/** This host's kernel, however many nodes it has. */
function openHost(): Numa {
  try {
    return openNuma({ backend: 'native' });
  } catch (error) {
    if (!(error instanceof NumaError)) throw error;
    const simulated = '--machine four-nodes shows a simulated machine';
    const { hint } = error;
    throw error.with({ hint: hint === undefined ? simulated : `${hint}; ${simulated}` });
  }
}
