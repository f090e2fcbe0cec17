// A user's project, as CommonJS: require() of an ECMAScript module.

const { bind, MappedBuffer, openNuma } = require('node-numa');
const { openSyscalls } = require('node-numa/syscalls');

async function main() {
  const numa = openNuma({ backend: 'native' });
  const node = numa.allowedNodes().first ?? 0;
  const buffer = numa.allocate(10 * numa.pageSizeBytes, { policy: bind(node) });
  buffer.touch();
  const { byNode } = await buffer.residency();
  const { complete, pages } = await buffer.migrate({ to: node, strict: true });
  const isBuffer = buffer instanceof MappedBuffer;
  buffer.release();
  const told = openSyscalls(numa).getMempolicy({ flags: 0, maxnode: 0 });
  if (!told.ok) throw new Error(told.syscall);
  const { kind } = numa.backend;
  process.stdout.write(JSON.stringify({ kind, isBuffer, byNode, complete, total: pages.total }));
}

main();
