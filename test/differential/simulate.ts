/** A program on a simulated machine, as one of the kernels that the simulator knows. */

import { KERNEL_PROFILES, type KernelLine } from '../../lib/simulator/nodes/kernel-profile.ts';
import type { MachineDescription } from '../../lib/simulator/nodes/machine-description.ts';
import { compareReleases } from '../contract/kernel-facts.ts';
import { openSimulatedWorld } from '../simulator/simulated-world.ts';
import { normalised } from './compare.ts';
import { runProgram } from './interpret.ts';
import type { Outcome } from './outcome.ts';
import type { Program } from './program.ts';
import { watchByFiles } from './watch.ts';

/** The newest line that is no newer than a release. */
export function kernelLineOf(release: string): KernelLine {
  const lines = Object.keys(KERNEL_PROFILES) as KernelLine[];
  return lines.findLast((line) => compareReleases(line, release) <= 0) ?? (lines[0] as KernelLine);
}

export async function simulate(
  program: Program,
  machine: MachineDescription,
  kernel: KernelLine,
): Promise<Outcome> {
  const world = openSimulatedWorld(machine, { kernel });
  const outcome = await runProgram({ ...world, watch: watchByFiles() }, program);
  return normalised(program, outcome);
}
