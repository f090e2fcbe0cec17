// Moves one mapping to another node: same address, data kept, and a receipt from the kernel.
// Runs on the kernel where there are two nodes with memory, else on the simulator.
// move_pages(2) is the call behind it: node examples/relocate.mjs

import { bind, openNuma } from 'node-numa';

const numa = openNuma();
const [home, away] = numa.topology.withMemory;

const buffer = numa.allocate(16 * 2 ** 20, { policy: bind(home) });
try {
  buffer.bytes.fill(42);
  const report = await buffer.migrate({ to: away });
  console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
  console.log(`${report.pages.moved} of ${report.pages.total} pages moved to node ${away}`);
  console.log('pages by node before', report.before, 'and after', report.after);
  console.log(`the data is ${buffer.bytes.every((byte) => byte === 42) ? 'kept' : 'lost'}`);
} finally {
  buffer.release();
}
