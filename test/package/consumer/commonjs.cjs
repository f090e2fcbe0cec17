// A user's project, as CommonJS: require() of an ECMAScript module.

const { bind, MappedBuffer, openNuma } = require('node-numa');

async function main() {
  const numa = openNuma({ backend: 'native' });
  const node = numa.allowedNodes().first ?? 0;
  const buffer = numa.allocate(10 * numa.pageSizeBytes, { policy: bind(node) });
  buffer.touch();
  const { byNode } = await buffer.residency();
  const { complete, pages } = await buffer.migrate({ to: node, strict: true });
  const isBuffer = buffer instanceof MappedBuffer;
  buffer.release();
  const { kind } = numa.backend;
  process.stdout.write(JSON.stringify({ kind, isBuffer, byNode, complete, total: pages.total }));
}

main();
