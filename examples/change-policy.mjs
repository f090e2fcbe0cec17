// Gives one mapping a new policy and moves its pages by it: what is touched later goes there, too.
// Runs on the kernel where there are two nodes with memory, else on the simulator.
// mbind(2) with MPOL_MF_MOVE | MPOL_MF_STRICT: node examples/change-policy.mjs

import { bind, openNuma } from 'node-numa';

const numa = openNuma();
const [home, away] = numa.topology.withMemory;

const buffer = numa.allocate(16 * 2 ** 20, { policy: bind(home) });
try {
  const half = buffer.bytes.length / 2;
  buffer.bytes.fill(42, 0, half);
  const before = await buffer.residency();
  buffer.setPolicy(bind(away), { move: 'own', strict: true });
  const after = await buffer.residency();
  console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
  console.log(
    `${after.byNode[away]} pages moved to node ${away}, its policy is ${buffer.policy()}`,
  );
  console.log('pages by node before', before.byNode, 'and after', after.byNode);
  buffer.bytes.fill(42, half);
  console.log('with the rest written', buffer.residencySync().byNode);
  console.log(`the data is ${buffer.bytes.every((byte) => byte === 42) ? 'kept' : 'lost'}`);
} finally {
  buffer.release();
}
