// Has many files of the kernel read at a time until somebody ends this thread.

import { parentPort } from 'node:worker_threads';
import { openNuma } from '../../../dist/index.js';

const numa = openNuma({ backend: 'native' });
const readForEver = async () => {
  for (;;) await numa.nodeStatistics();
};
for (let count = 0; count < 16; count += 1) void readForEver();
parentPort?.postMessage({ ready: true });
