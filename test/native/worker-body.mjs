// @ts-check
// What a worker thread does in worker.test.ts. It says 'ready' once it is in the middle of it.

import { parentPort, workerData } from 'node:worker_threads';
import { addon, collectOnce, newStatus, touchedMapping, unwrap } from './raw-addon.mjs';

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const { task, handle } = workerData;

const tasks = {
  // Attaches, adds one to the first byte, and leaves without munmap.
  attach() {
    const mapping = unwrap(addon.attach(handle.id, handle.generation));
    const bytes = new Uint8Array(unwrap(addon.array_buffer(mapping)));
    bytes[0] = (bytes[0] ?? 0) + 1;
    port.postMessage('ready');
  },
  // Moves pages for ever, some of them a mapping of another thread's.
  moves() {
    const shared = unwrap(addon.attach(handle.id, handle.generation));
    const own = touchedMapping(1024);
    unwrap(addon.array_buffer(own));
    for (const mapping of [shared, own, shared, own]) moveForEver(mapping);
    port.postMessage('ready');
  },
  // A stream takes the memory along with what it is given: it goes to the other thread, and this
  // one ends.
  async give() {
    const arrayBuffer = unwrap(addon.array_buffer(touchedMapping(1)));
    const stream = new ReadableStream({
      type: 'bytes',
      start: (controller) => controller.enqueue(new Uint8Array(arrayBuffer)),
    });
    const { value } = await stream.getReader().read();
    const taken = /** @type {Uint8Array<ArrayBuffer>} */ (value).fill(0x5a).buffer;
    port.postMessage(taken, [taken]);
  },
  // The same, and nothing is left of the ArrayBuffer that it was taken from.
  async giveAndForget() {
    await tasks.give();
    await new Promise((resolve) => setImmediate(resolve));
    collectOnce();
    process.exit();
  },
  // Leaves right after ArrayBuffers that nobody has were collected.
  async forget() {
    for (let count = 0; count < 20; count += 1) {
      new Uint8Array(unwrap(addon.array_buffer(touchedMapping(1))))[0] = 1;
    }
    port.postMessage('ready');
    await new Promise((resolve) => setImmediate(resolve));
    collectOnce();
    process.exit();
  },
  // Leaves while bytes and moves are alive.
  exit() {
    const own = touchedMapping(1024);
    const bytes = new Uint8Array(unwrap(addon.array_buffer(own)));
    moveForEver(own);
    port.postMessage('ready');
    setImmediate(() => process.exit(bytes[0]));
  },
};

/** @param {import('../../lib/backend/mapping.ts').Mapping} mapping */
async function moveForEver(mapping) {
  const pageCount = Math.min(1024, mapping.lengthBytes / addon.page_size_bytes());
  const status = newStatus(pageCount);
  for (;;) {
    await addon.move_pages_async(0, pageCount, mapping.address, 0, status, 2, mapping);
  }
}

tasks[/** @type {keyof typeof tasks} */ (task)]();
