/** The contract on the simulator, as each of the kernels that it knows. */

import { kernelLines, Machine, presets } from '../../lib/simulator/public.ts';
import { processContract } from '../contract/index.ts';
import type { Trait, World } from '../contract/world.ts';
import { worldOf } from './simulated-world.ts';

/** All that there are. */
const TRAITS: ReadonlySet<Trait> = new Set<Trait>([
  'addresses',
  'sharing',
  'setuid',
  'mlock',
  'pointers',
  'contents',
  'objects',
  'areas',
  'references',
  'threads',
  'states',
  'settings',
  'counters',
  'files',
]);

/** What tests before have left behind must be in order when the next one begins. */
function watched(machine: Machine): World {
  const world = worldOf(machine);
  return {
    ...world,
    spawn: async () => {
      const breaches = machine.invariantBreaches();
      if (breaches.length > 0) throw new Error(breaches.join('; '));
      return world.spawn();
    },
  };
}

for (const kernel of kernelLines) {
  processContract({
    name: `a simulated process, Linux ${kernel}`,
    traits: TRAITS,
    open: async () => watched(new Machine(presets.fourNodes, { kernel })),
  });
}
