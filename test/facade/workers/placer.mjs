// Places workers until it is ended itself.

import { parentPort } from 'node:worker_threads';
import { openNuma } from '../../../dist/index.js';

const numa = openNuma({ backend: 'native' });
parentPort?.postMessage('begun');
for (;;) {
  const { worker } = numa.worker(new URL('data:text/javascript,'), { cpus: '+0', policy: 'local' });
  await worker.terminate();
}
