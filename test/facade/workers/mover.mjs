// Moves a shared buffer back and forth until somebody ends this thread.

import { parentPort, workerData } from 'node:worker_threads';
import { openNuma } from '../../../dist/index.js';

const { handle, nodes } = workerData;
const buffer = openNuma({ backend: 'native' }).attach(handle);
parentPort?.postMessage({ ready: true });
for (let round = 0; ; round += 1) await buffer.migrate({ to: nodes[round % nodes.length] });
