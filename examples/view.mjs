// Moves the memory of a running worker: a WebAssembly.Memory that the program has already, and that
// the worker counts in meanwhile. The same works for any ArrayBuffer or SharedArrayBuffer.
// Runs on the kernel where there are two nodes with memory, else on the simulator.
// node examples/view.mjs

import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { bind, openNuma } from 'node-numa';

const rounds = 200_000;

if (isMainThread) {
  const numa = openNuma();
  const [home, away] = numa.topology.withMemory;
  console.log(`${numa.backend.kind}: ${numa.backend.reason}`);

  const memory = new WebAssembly.Memory({ initial: 128, maximum: 128, shared: true });
  const view = numa.view(memory);
  try {
    numa.thread.withPolicy(bind(home), () => view.touch());
    const worker = new Worker(new URL(import.meta.url), { workerData: memory });
    const finished = once(worker, 'message');
    const report = await view.migrate({ to: away });
    console.log(`${report.pages.moved} of ${report.pages.total} pages moved to node ${away}`);
    const { leadingBytes, trailingBytes } = view.edges;
    console.log(`${leadingBytes + trailingBytes} bytes share a page with other memory`);
    const [counted] = await finished;
    console.log(`the worker counted to ${counted} of ${rounds}`);
  } finally {
    view.release();
  }
} else {
  const counters = new Int32Array(workerData.buffer);
  for (let round = 0; round < rounds; round += 1) Atomics.add(counters, 0, 1);
  parentPort.postMessage(Atomics.load(counters, 0));
}
