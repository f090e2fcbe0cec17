// A worker on each node that has CPUs, and a child process beside the last of them: their CPUs and
// their policy are set before they start. On the simulator they are real ones without placement.
// docs/workers.md: node examples/placed-workers.mjs

import { once } from 'node:events';
import { isMainThread, parentPort } from 'node:worker_threads';

if (isMainThread) {
  // Only here: a worker of the pool needs none of it.
  const { openNuma } = await import('node-numa');
  const numa = openNuma();
  console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
  const pool = numa.workerPool(new URL(import.meta.url), { bindTo: 'node' });
  for (const { node, cpus, policy } of pool.workers) {
    console.log(
      `node ${node}: CPUs ${cpus}, ${policy}, 7 * 6 = ${await pool.run([7, 6], { node })}`,
    );
  }
  const { node } = pool.workers.at(-1);
  const beside = { cpuNodes: node, memoryNodes: 'same', policy: 'preferred' };
  const { child, policy, placed, reason } = numa.spawn('true', [], beside);
  const [exitCode] = await once(child, 'exit');
  console.log(`a child with ${policy} ended with ${exitCode}`);
  console.log(placed ? 'all were placed' : `none was placed: ${reason}`);
  await pool.close();
} else {
  parentPort.on('message', ([one, other]) => parentPort.postMessage(one * other));
}
