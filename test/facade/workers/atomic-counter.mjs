// Counts in memory that is shared with the main thread, one counter for each stride, until told to
// stop; then says how many rounds it made.

import { parentPort, workerData } from 'node:worker_threads';

const { memory, strideWords } = workerData;
const words = new Int32Array(memory.buffer ?? memory);
// The first word is the signal to stop.
parentPort?.postMessage({ ready: true });
let rounds = 0;
while (Atomics.load(words, 0) === 0) {
  for (let at = 1; at < words.length; at += strideWords) Atomics.add(words, at, 1);
  rounds += 1;
}
parentPort?.postMessage({ rounds });
