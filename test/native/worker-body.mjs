// @ts-check
// What a worker thread does in worker.test.ts. It says 'ready' once it is in the middle of it.

import { parentPort, workerData } from 'node:worker_threads';
import { addon, newStatus, touchedMapping, unwrap } from './raw-addon.mjs';

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
