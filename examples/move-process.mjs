// Moves everything that this process has on one node to another, its program and heap included.
// Runs on the kernel where there are two nodes with memory, else on the simulator.
// migrate_pages(2) is the call behind it: node examples/move-process.mjs

import { bind, openNuma } from 'node-numa';

const numa = openNuma();
const [home, away] = numa.topology.withMemory;

const buffers = [1, 2].map((value) => {
  const buffer = numa.allocate(8 * 2 ** 20, { policy: bind(home) });
  buffer.bytes.fill(value);
  return { buffer, value };
});
await numa.process().migrate({ from: home, to: away });
console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
for (const { buffer, value } of buffers) {
  const { byNode } = await buffer.residency();
  const isKept = buffer.bytes.every((byte) => byte === value);
  console.log(`${byNode[away]} pages moved to node ${away}, its policy is ${buffer.policy()}`);
  console.log(`the data is ${isKept ? 'kept' : 'lost'}`);
  buffer.release();
}
