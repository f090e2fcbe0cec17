// Shares a buffer with the main thread. As 'writer' it increments counters in it, as 'reader' it
// watches them: a counter that goes down has lost an update. Ends when `stop` is set.

import { parentPort, workerData } from 'node:worker_threads';
import { openNuma } from '../../../dist/index.js';

const { handle, role, stop, strideWords } = workerData;
const numa = openNuma({ backend: 'native' });
const buffer = numa.attach(handle);
const words = new Int32Array(buffer.bytes.buffer);
const counterCount = Math.floor(words.length / strideWords);
const isStopped = new Int32Array(stop);
const seen = new Int32Array(counterCount);

let rounds = 0;
let wentDown = 0;
parentPort?.postMessage({ ready: true });
while (Atomics.load(isStopped, 0) === 0) {
  for (let counter = 0; counter < counterCount; counter += 1) {
    const index = counter * strideWords;
    if (role === 'writer') {
      Atomics.add(words, index, 1);
    } else {
      const value = Atomics.load(words, index);
      if (value < (seen[counter] ?? 0)) wentDown += 1;
      seen[counter] = value;
    }
  }
  rounds += 1;
}
buffer.release();
parentPort?.postMessage({ role, rounds, wentDown });
