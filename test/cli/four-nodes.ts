/** The machine that tables of command lines are written for: machines/four-nodes.json. */

import type { TestContext } from 'vitest';
import { readHostMachine } from '../support/host-machine.ts';
import { nodesFromZero, whenSupported } from '../support/needs.ts';

const machine = await readHostMachine();

export function needFourNodes(context: TestContext): void {
  whenSupported(context, machine, [nodesFromZero(4)]);
  const cpus = machine.topology.nodes.map((node) => node.cpus.join());
  if (cpus.join(' ').trim() !== '0 1') context.skip('needs CPU 0 on node 0 and CPU 1 on node 1');
}
