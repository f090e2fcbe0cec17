/** A program on a simulated machine, as one of the kernels that the simulator knows. */

import type { KernelLine } from '../../lib/core/kernels.ts';
import type { MachineDescription } from '../../lib/core/machine-description.ts';
import { openSimulatedWorld } from '../simulator/simulated-world.ts';
import { normalised } from './compare.ts';
import { runProgram } from './interpret.ts';
import type { Outcome } from './outcome.ts';
import type { Program } from './program.ts';
import { watchByFiles } from './watch.ts';

export async function simulate(
  program: Program,
  machine: MachineDescription,
  kernel: KernelLine,
): Promise<Outcome> {
  const world = openSimulatedWorld(machine, { kernel });
  const outcome = await runProgram({ ...world, watch: watchByFiles() }, program);
  return normalised(program, outcome);
}
