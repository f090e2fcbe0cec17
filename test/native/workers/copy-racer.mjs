// @ts-check
// A thread that reads memory while another has it copied, or has it copied for ever.

import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { addon, pageSizeBytes, unwrap } from '../raw-addon.mjs';

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const { task, handle } = workerData;
const mapping = unwrap(addon.attach(handle.id, handle.generation));

if (task === 'read') {
  const bytes = new Uint8Array(unwrap(addon.array_buffer(mapping)));
  let isOver = false;
  port.once('message', () => {
    isOver = true;
  });
  let reads = 0;
  let wrong = 0;
  port.postMessage('ready');
  while (!isOver) {
    for (let at = 0; at < bytes.length; at += pageSizeBytes) {
      if (bytes[at] !== 1 + ((at / pageSizeBytes) % 255)) wrong += 1;
      reads += 1;
    }
    await setImmediate();
  }
  port.postMessage({ reads, wrong });
} else {
  port.postMessage('ready');
  for (;;) await addon.copy_pages_async(mapping, 0, mapping.lengthBytes, 0, [], 0, null, 0, -1, 0);
}
