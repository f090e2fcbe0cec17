// A user's project, as an ECMAScript module.

import { bind, MappedBuffer, openNuma } from 'node-numa';
import { openSyscalls } from 'node-numa/syscalls';

const numa = openNuma({ backend: 'native' });
const node = numa.allowedNodes().first ?? 0;
const buffer = numa.allocate(10 * numa.pageSizeBytes, { policy: bind(node) });
try {
  buffer.touch();
  const { byNode } = await buffer.residency();
  const { complete, pages } = await buffer.migrate({ to: node, strict: true });
  const isBuffer = buffer instanceof MappedBuffer;
  const told = openSyscalls(numa).getMempolicy({ flags: 0, maxnode: 0 });
  if (!told.ok) throw new Error(told.syscall);
  const { kind } = numa.backend;
  process.stdout.write(JSON.stringify({ kind, isBuffer, byNode, complete, total: pages.total }));
} finally {
  buffer.release();
}
