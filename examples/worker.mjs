// Two threads, one mapping: the worker counts in the memory while the main thread moves it.
// A handle owns nothing and can be posted; each thread that attaches is an owner of its own.
// Needs a kernel with two nodes with memory: on the simulator each thread has a machine of its own.
// node examples/worker.mjs

import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { bind, openNuma } from 'node-numa';

const numa = openNuma();
const rounds = 200_000;

if (isMainThread) {
  const [home, away] = numa.topology.withMemory;
  const buffer = numa.allocate(4 * 2 ** 20, { policy: bind(home) });
  buffer.touch();
  const worker = new Worker(new URL(import.meta.url), { workerData: buffer.handle });
  const finished = once(worker, 'message');
  await buffer.migrate({ to: away });
  const report = await buffer.migrate({ to: home });
  const [counted] = await finished;
  console.log(`counted to ${counted} of ${rounds} while ${report.pages.total} pages moved twice`);
  buffer.release();
} else {
  const buffer = numa.attach(workerData);
  const counter = new Int32Array(buffer.bytes.buffer, 0, 1);
  for (let round = 0; round < rounds; round += 1) Atomics.add(counter, 0, 1);
  parentPort.postMessage(Atomics.load(counter, 0));
  buffer.release();
}
