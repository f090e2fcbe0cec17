// @ts-check
// Maps, shows and releases buffers in a process of its own, and says what became of its mappings:
// `synchronous` without a turn of the event loop, `in turns` with one for each.

import { readFileSync } from 'node:fs';
import { mapCount } from '../memory-map.mjs';
import { addon, collectGarbage, unwrap } from '../raw-addon.mjs';

const [kind = '', count = '0', lengthBytes = '0'] = process.argv.slice(2);
/** All that is mapped, in bytes. */
function sizeBytes() {
  const kilobytes = /VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

const maps = mapCount();
let rounds = 0;
let error = null;
try {
  for (; rounds < Number(count); rounds += 1) {
    useBuffer(Number(lengthBytes));
    if (kind === 'in turns') await new Promise((resolve) => setImmediate(resolve));
  }
} catch (thrown) {
  error = `${thrown}`;
}
const mapsGrowth = mapCount() - maps;
const reservedBytes = sizeBytes();
await collectGarbage();
const givenBackBytes = reservedBytes - sizeBytes();
process.stdout.write(JSON.stringify({ rounds, error, mapsGrowth, givenBackBytes }));

/** @param {number} length */
function useBuffer(length) {
  const mapping = unwrap(addon.mmap(length));
  const bytes = new Uint8Array(unwrap(addon.array_buffer(mapping)));
  bytes[0] = 1;
  addon.munmap(mapping);
  if (bytes.length !== 0) throw new Error('released bytes have a length');
}
