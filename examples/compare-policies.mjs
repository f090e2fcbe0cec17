// Which policy is best for a thread that goes over its memory again and again? In virtual time, on
// a simulated machine of two sockets: node examples/compare-policies.mjs

import { bind, interleave, openNuma } from 'node-numa';
import { Machine, presets } from 'node-numa/simulator';

const rounds = 10;
const cacheLinesPerPage = 64;

/** Time of one policy, on a machine of its own. Its thread runs on node 0. */
async function measure(policy, moveTo) {
  const machine = new Machine(presets.twoSockets);
  const numa = openNuma({ machine });
  const buffer = numa.allocate(16 * 2 ** 20, { policy });
  buffer.touch();
  const costs = machine.startCosts({ accessesPerTouch: cacheLinesPerPage });
  if (moveTo !== undefined) await buffer.migrate({ to: moveTo });
  for (let round = 0; round < rounds; round += 1) buffer.touch();
  return costs;
}

function show(name, costs) {
  const counts = costs.accesses();
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const local = counts.find(({ cpuNode, memoryNode }) => cpuNode === memoryNode)?.count ?? 0;
  const ms = (ns) => `${(ns / 1e6).toFixed(1)} ms`;
  const times = `accesses ${ms(costs.accessNs)} + moves ${ms(costs.migrationNs)}`;
  console.log(`${name}: ${times} = ${ms(costs.totalNs)}, ${(100 * local) / total} % local`);
}

show('bind to node 0', await measure(bind(0)));
show('interleave on both', await measure(interleave('0-1')));
show('bind to node 1', await measure(bind(1)));
show('node 1, then migrate', await measure(bind(1), 0));
