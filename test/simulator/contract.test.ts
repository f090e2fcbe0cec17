/** The contract on the simulator, as each of the kernels that it knows. */

import { readFileSync } from 'node:fs';
import { KERNEL_PROFILES, type KernelLine } from '../../lib/simulator/nodes/kernel-profile.ts';
import type { MachineDescription } from '../../lib/simulator/nodes/machine-description.ts';
import { processContract } from '../contract/index.ts';
import { openSimulatedWorld } from '../simulator/simulated-world.ts';

const MACHINE = JSON.parse(
  readFileSync(new URL('../../scripts/machines/four-nodes.json', import.meta.url), 'utf8'),
) as MachineDescription;

for (const kernel of Object.keys(KERNEL_PROFILES) as KernelLine[]) {
  processContract({
    name: `a simulated process, Linux ${kernel}`,
    traits: new Set(['addresses', 'sharing', 'setuid', 'pin', 'mlock', 'pointers', 'contents']),
    open: async () => openSimulatedWorld(MACHINE, { kernel }),
  });
}
