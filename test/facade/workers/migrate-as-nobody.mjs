// A process without capabilities tries to move another user's process, and prints the answer.

import { openNuma } from '../../../dist/index.js';

const numa = openNuma({ backend: 'native' });
const node = numa.allowedNodes().first ?? 0;
try {
  await numa.process(Number(process.argv[2])).migrate({ from: node, to: node });
  process.stdout.write(JSON.stringify({ code: 'none' }));
} catch (error) {
  const { code, syscall, errnoName, hint } = /** @type {any} */ (error);
  process.stdout.write(JSON.stringify({ code, syscall, errnoName, hint }));
}
