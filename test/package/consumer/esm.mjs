// A user's project, as an ECMAScript module.

import { bind, MappedBuffer, openNuma } from 'node-numa';

const numa = openNuma({ backend: 'native' });
const node = numa.allowedNodes().first ?? 0;
const buffer = numa.allocate(10 * numa.pageSizeBytes, { policy: bind(node) });
try {
  buffer.touch();
  const { byNode } = await buffer.residency();
  const { complete, pages } = await buffer.migrate({ to: node, strict: true });
  const isBuffer = buffer instanceof MappedBuffer;
  const { kind } = numa.backend;
  process.stdout.write(JSON.stringify({ kind, isBuffer, byNode, complete, total: pages.total }));
} finally {
  buffer.release();
}
