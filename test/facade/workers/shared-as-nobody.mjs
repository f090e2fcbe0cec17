// A process without capabilities asks for shared pages to be moved, and prints the answer.

import { bind, openNuma } from '../../../dist/index.js';

const numa = openNuma({ backend: 'native' });
const node = numa.allowedNodes().first ?? 0;
const buffer = numa.allocate(5 * numa.pageSizeBytes, { policy: bind(node) });
buffer.touch();
try {
  await buffer.migrate({ to: node, includeShared: true });
  process.stdout.write(JSON.stringify({ code: 'none' }));
} catch (error) {
  const { code, syscall, errnoName, argument, hint, report } = /** @type {any} */ (error);
  const { byNode } = buffer.residencySync();
  const hasReport = report !== undefined;
  const told = { code, syscall, errnoName, argument, hint, hasReport, byNode };
  process.stdout.write(JSON.stringify(told));
}
