// The pages of a buffer made at once, on CPUs of its node, while JavaScript goes on.
// node examples/populate.mjs

import { bind, openNuma } from 'node-numa';

const numa = openNuma();
console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
const [home] = numa.topology.withMemory.toArray();
const buffer = numa.allocate(64 * 2 ** 20, { policy: bind(home), hugePages: 'none' });
let steps = 0;
await buffer.populate({
  threads: 2,
  onProgress: () => {
    steps += 1;
  },
});
console.log(`${steps} steps, pages by node`, buffer.residencySync().byNode);
buffer.release();
