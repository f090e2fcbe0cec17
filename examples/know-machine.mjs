// What the machine is: which CPUs share a package and a cache, and which memory is near.
// Runs on the kernel where there are two nodes with memory, else on the simulator:
// node examples/know-machine.mjs

import { openNuma } from 'node-numa';

const numa = openNuma();
const { topology } = numa;
console.log(`${numa.backend.kind}: ${numa.backend.reason}`);

const { cpu } = numa.thread.cpu();
const home = topology.nodeOfCpu(cpu);
console.log(`this thread may run on the CPUs ${numa.thread.affinity()} of ${topology.cpus}`);
console.log(`CPU ${cpu} is on node ${home}, in a package with the nodes`, [
  ...(topology.packageOf(cpu)?.nodes ?? []),
]);
console.log(`it shares its last cache with the CPUs ${topology.lastLevelCacheOf(cpu)?.cpus}`);

for (const by of ['distance', 'latency', 'bandwidth']) {
  console.log(`nodes by ${by}: ${topology.nearestFirst(home, { by })}`);
}
for (const { id } of topology.nodes) {
  const speed = topology.memoryPerformance(home, id);
  const told = speed === null ? 'is not told' : `${speed.readLatencyNs} ns to read`;
  console.log(`memory of node ${id}: distance ${topology.distance(home, id)}, ${told}`);
}

// Where nodes are taken, a device may stand for the one that it is near to.
for (const device of ['block:sda', 'file:.', 'netdev:lo']) {
  try {
    console.log(`${device} is near node ${numa.nodesOf(device)}`);
  } catch (error) {
    console.log(`${device}: ${error.message}`);
  }
}
