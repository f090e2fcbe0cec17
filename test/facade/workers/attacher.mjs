// Attaches to a handle that came by message, and tells what it found.

import { parentPort } from 'node:worker_threads';
import { openNuma } from '../../../dist/index.js';

const numa = openNuma({ backend: 'native' });
parentPort?.on('message', (handle) => {
  try {
    const buffer = numa.attach(handle);
    const { address, lengthBytes } = buffer;
    const first = buffer.bytes[0];
    buffer.bytes[0] = 99;
    buffer.release();
    parentPort?.postMessage({ address, lengthBytes, first });
  } catch (error) {
    const { code, hint, syscall } = /** @type {any} */ (error);
    parentPort?.postMessage({ code, hint, syscall });
  }
});
