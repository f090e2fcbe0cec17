// Reads replicas as quickly as it can until told to stop; each version has one number in all of its
// words. Says how many reads were of several versions, and which nodes it read on.

import { parentPort, workerData } from 'node:worker_threads';
import { openNuma } from '../../../dist/index.js';

const { backend, cpu } = workerData;
/** @type {import('../../../lib/index.ts').ReplicasHandle<'Int32Array'>} */
const handle = workerData.handle;
const numa = openNuma({ backend });
if (cpu !== undefined) numa.thread.setAffinity(cpu);
const replicas = numa.attachReplicas(handle);
const stop = new Int32Array(workerData.stop);
/** @type {Set<number>} */
const versions = new Set();
/** @type {Set<number>} */
const nodes = new Set();
const tally = { reads: 0, runs: 0, torn: 0, wentDown: 0 };
let latest = 0;
parentPort?.postMessage({ ready: true });
while (Atomics.load(stop, 0) === 0) {
  const replica = replicas.local();
  nodes.add(replica.node);
  const [least, most] = replica.read((words) => {
    tally.runs += 1;
    const [first = 0] = words;
    let [low, high] = [first, first];
    for (let at = 1; at < words.length; at += 1) {
      const word = words[at] ?? 0;
      if (word < low) low = word;
      if (word > high) high = word;
    }
    return [low, high];
  });
  tally.reads += 1;
  if (least !== most) tally.torn += 1;
  if (least < latest) tally.wentDown += 1;
  latest = least;
  versions.add(least);
}
replicas.release();
parentPort?.postMessage({ ...tally, versions: versions.size, nodes: [...nodes] });
