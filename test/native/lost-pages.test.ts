/** Who has SIGBUS besides us, where a mapped file has become shorter. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const rawAddon = fileURLToPath(new URL('raw-addon.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'node-numa-lost-'));

afterAll(() => rmSync(folder, { recursive: true }));

/** Of a program that maps a file, does as told, maps it again, and reads behind its end. */
async function bytesSeenBehindTheEnd(between: string): Promise<string> {
  const program = `
    import { openSync, truncateSync, writeFileSync } from 'node:fs';
    import { addon, pageSizeBytes, unwrap } from ${JSON.stringify(rawAddon)};
    const path = ${JSON.stringify(join(folder, 'file'))};
    writeFileSync(path, Buffer.alloc(4 * pageSizeBytes, 1));
    const fd = openSync(path, 'r+');
    const map = () => unwrap(addon.mmap_with(4 * pageSizeBytes, 0, 0, 1, fd, 0));
    map();
    ${between}
    const mapping = map();
    truncateSync(path, pageSizeBytes);
    const bytes = new Uint8Array(unwrap(addon.array_buffer(mapping)));
    unwrap(addon.touch(mapping, 0, bytes.length, 'write'));
    console.log([0, 1, 2, 3].map((page) => bytes[page * pageSizeBytes]).join());`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  return (await run).stdout.trim();
}

describe('pages that a file has lost', () => {
  it('are zeros also after a program has listened to SIGBUS for a while', async () => {
    const between = `
      const listener = () => {};
      process.on('SIGBUS', listener);
      process.off('SIGBUS', listener);`;
    expect(await bytesSeenBehindTheEnd(between)).toBe('1,0,0,0');
  });
});
