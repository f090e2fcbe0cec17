/** The contract through the backend that users get, on the simulator as each of its kernels. */

import { NODE_ID_MAX } from '../../lib/core/uapi.ts';
import { kernelLines, Machine, type MachineOptions, presets } from '../../lib/simulator/public.ts';
import { backendContract } from '../contract/index.ts';
import type { WorldMachine } from '../contract/world.ts';

function openSimulator(options: MachineOptions) {
  const simulated = new Machine(presets.fourNodes, options);
  const { self, kernel, pageSizeBytes, description } = simulated;
  const topology = simulated.topology();
  const machine: WorldMachine = {
    kernel,
    pageSizeBytes,
    memoryNodes: topology.allowedNodes,
    topology,
    possibleNodeCount: description.nodes.length,
    nodesMax: NODE_ID_MAX + 1,
    isPrivileged: true,
    canChangeUser: true,
    isExpendable: true,
  };
  return { backend: self.backend, machine };
}

for (const kernel of kernelLines) {
  const name = `the simulator, Linux ${kernel}`;
  backendContract({ name, open: () => openSimulator({ kernel }) });
}

for (const pageSizeBytes of [16_384, 65_536]) {
  const name = `the simulator with pages of ${pageSizeBytes / 1024} kB`;
  backendContract({ name, open: () => openSimulator({ pageSizeBytes }) });
}
