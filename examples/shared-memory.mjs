// One memory in two processes and three threads: two workers and a child fill a part each, and each
// part is on a node of its own, whoever fills it. Workers get a handle, the child a descriptor.
// On the simulator every thread and process has a machine of its own: there this thread fills all.
// node examples/shared-memory.mjs

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { bind, openNuma } from 'node-numa';

const PART_BYTES = 2 ** 20;
/** The child's place in `stdio` is the number of the descriptor there. */
const CHILD_FD = 3;
const thisFile = new URL(import.meta.url);

function fill(buffer, part) {
  buffer.bytes.fill(part + 1, part * PART_BYTES, (part + 1) * PART_BYTES);
}

async function inWorker(buffer, part) {
  const worker = new Worker(thisFile, { workerData: { handle: buffer.handle, part } });
  await once(worker, 'exit');
}

async function inChild(buffer, part) {
  const stdio = ['ignore', 'inherit', 'inherit', buffer.descriptor];
  await once(spawn(process.execPath, [thisFile.pathname, `${part}`], { stdio }), 'exit');
}

async function main() {
  const numa = openNuma();
  console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
  const nodes = numa.topology.withMemory.toArray();
  const buffer = numa.allocate(3 * PART_BYTES, { shared: true });
  const isSimulated = numa.backend.kind === 'simulator';
  const fillers = isSimulated ? [fill, fill, fill] : [inWorker, inWorker, inChild];
  for (const [part, filler] of fillers.entries()) {
    const range = { offsetBytes: part * PART_BYTES, lengthBytes: PART_BYTES };
    const node = nodes[part % nodes.length];
    buffer.setPolicy(bind(node), range);
    await filler(buffer, part);
    // Pages that others have made are not in this process's page tables before it looks at them.
    buffer.touch({ ...range, access: 'read' });
    const { byNode } = await buffer.residency(range);
    // Of this part alone: a look at the next one would make its pages here, before it has a policy.
    const bytes = buffer.bytes.subarray(range.offsetBytes, range.offsetBytes + PART_BYTES);
    const isWhole = bytes.every((byte) => byte === part + 1);
    console.log(`part ${part}`, byNode, isWhole ? 'with its data' : 'with other data');
  }
  buffer.release();
}

const [, , part] = process.argv;
if (part !== undefined) {
  const buffer = openNuma().map(CHILD_FD);
  fill(buffer, Number(part));
  buffer.release();
} else if (isMainThread) {
  await main();
} else {
  const buffer = openNuma().attach(workerData.handle);
  fill(buffer, workerData.part);
  buffer.release();
}
