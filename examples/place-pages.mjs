// Pages in shares of nodes: by weights, in parts, and each page where it is wanted; and a thread
// that is bound, CPUs and memory in one verb.
// Runs on the kernel where there are two nodes with memory, else on the simulator:
// node examples/place-pages.mjs

import { openNuma } from 'node-numa';

const numa = openNuma();
const [home, away] = numa.topology.withMemory;
const pages = 12;
console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
console.log('weights of the machine:', (await numa.interleaveWeights()).weights ?? 'none');

const buffer = numa.allocate(pages * numa.pageSizeBytes);
try {
  const spread = await buffer.distribute({ weights: { [home]: 3, [away]: 1 } });
  console.log(`by weights 3 to 1 (${spread.method}):`, spread.bytesByNode);

  const half = (pages / 2) * numa.pageSizeBytes;
  const parts = await buffer.distribute({ partsBytes: { [home]: half, [away]: half } });
  console.log(`in halves (${parts.method}): ${await buffer.pageStatuses()}`);
  console.log(`${parts.placement.pages.moved} pages moved`);

  const alternating = Array.from({ length: pages }, (_, page) => (page % 2 ? away : home));
  const report = await buffer.place(alternating);
  console.log(`page by page: ${report.statuses}`);
} finally {
  buffer.release();
}

const { cpus, memory } = numa.thread.bind({ nodes: home });
console.log(`CPUs ${cpus.bound} and memory of node ${memory.bound} bound`);
