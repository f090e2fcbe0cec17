// A file in memory: its pages, in the page cache, are placed and moved as any, and what is written
// is the file's. They stay where they are after the program's end.
// node examples/map-file.mjs

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNuma } from 'node-numa';

const numa = openNuma();
console.log(`${numa.backend.kind}: ${numa.backend.reason}`);
const folder = mkdtempSync(join(tmpdir(), 'node-numa-'));
const path = join(folder, 'data');
writeFileSync(path, Buffer.alloc(4 * 2 ** 20, 'data'));
const [home, away] = numa.topology.withMemory.toArray();

const buffer = numa.mapFile(path, { protection: 'write' });
buffer.touch();
// Pages that the disk has not seen yet are moved by some file systems only after that.
await buffer.flush();
for (const node of [home, away]) {
  await buffer.migrate({ to: node });
  console.log(`on node ${node}:`, (await buffer.residency()).byNode);
}
buffer.bytes[0] = 'D'.charCodeAt(0);
await buffer.flush();
console.log(`the file begins with ${readFileSync(path, 'latin1').slice(0, 4)}`);
buffer.release();
rmSync(folder, { recursive: true });
