/** Other processes' memory on simulated machines, as each of the kernels that there are. */

import { openNuma } from '../../lib/index.ts';
import { kernelLines, Machine } from '../../lib/simulator/public.ts';
import { processFamily } from '../facade/process-family.ts';
import { worldOf } from './simulated-world.ts';

for (const kernel of kernelLines) {
  processFamily({
    name: `Linux ${kernel}`,
    open: async () => {
      const machine = new Machine(undefined, { kernel });
      return { world: worldOf(machine), numa: openNuma({ machine }) };
    },
  });
}
