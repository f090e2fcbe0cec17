// A lookup table on each of two nodes: a worker reads the copy that is near to it, and a change
// reaches all copies at once. On the simulator the copies are real ones, and their nodes are not.
// docs/replicas.md: node examples/replicas.mjs

import { once } from 'node:events';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { openNuma } from 'node-numa';

const numa = openNuma();

if (isMainThread) {
  console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
  const [home, away] = numa.topology.withMemory;
  const prices = Float64Array.from({ length: 2 ** 17 }, (_, article) => article / 100);
  const replicas = await numa.replicate(prices, { nodes: [home, away] });
  for (const { node, residency } of await replicas.residency()) {
    console.log(`a copy on node ${node}:`, residency[0].byNode);
  }
  const started = numa.worker(
    new URL(import.meta.url),
    // Not each node with memory has CPUs.
    { cpuNodes: numa.topology.withCpus.has(away) ? away : home },
    { workerData: replicas.handle },
  );
  const { worker } = started;
  const ask = async (article) => {
    worker.postMessage(article);
    const [price] = await once(worker, 'message');
    return price;
  };
  console.log(`article 1234 costs ${await ask(1234)}`);
  const version = await replicas.publish((draft) => {
    draft.forEach((price, article) => {
      draft[article] = price * 2;
    });
  });
  console.log(`with version ${version} it costs ${await ask(1234)}`);
  await worker.terminate();
  replicas.release();
} else {
  const replicas = numa.attachReplicas(workerData);
  parentPort.on('message', (article) => {
    parentPort.postMessage(replicas.local().read((prices) => prices[article]));
  });
}
