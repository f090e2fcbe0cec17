// Tells where its thread may run, its policy, and on which nodes memory is that it takes: as a
// worker to who started it, as a child on its channel or its output.

import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { openNuma } from '../../../dist/index.js';

if (workerData === 'throw') throw new Error('died while it started');
const numa = openNuma({ backend: 'native' });
const status = readFileSync('/proc/thread-self/status', 'utf8');
// Fresh: what the allocator has may have been another thread's, and lie where that one ran.
const taken = numa.allocate(2 ** 23);
taken.bytes.fill(1);
const told = {
  cpus: /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1],
  policy: String(numa.thread.policy()),
  byNode: taken.residencySync().byNode,
};
if (!isMainThread) parentPort?.postMessage(told);
else if (process.send !== undefined) process.send(told);
else process.stdout.write(JSON.stringify(told));
if (workerData === 'stay') parentPort?.on('message', () => process.exit());
if (process.argv[2] === 'stay') process.on('message', () => process.exit());
