/** Memory of files: what is seen and written, and files that others make shorter meanwhile. */

import { execFile } from 'node:child_process';
import {
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { NumaError } from '../../lib/index.ts';
import { needNodes, numa } from './machine.ts';

const PAGE = numa.pageSizeBytes;
const isNative = numa.backend.kind === 'native';
const folder = mkdtempSync(join(tmpdir(), 'node-numa-files-'));

afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;

/** A file of so many pages, each full of its own number, from 1 on. */
function newFile(pageCount: number): string {
  count += 1;
  const path = join(folder, `${count}`);
  const bytes = Buffer.alloc(pageCount * PAGE);
  for (let page = 0; page < pageCount; page += 1) {
    bytes.fill(page + 1, page * PAGE, (page + 1) * PAGE);
  }
  writeFileSync(path, bytes);
  return path;
}

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    if (error instanceof NumaError) return error.code;
    throw error;
  }
  return 'nothing was refused';
}

describe('a file', () => {
  test('is seen by its bytes, and keeps them whatever is written to a mapping to read', () => {
    const path = newFile(3);
    using buffer = numa.mapFile(path);
    expect([buffer.lengthBytes, buffer.bytes[0], buffer.bytes[2 * PAGE]]).toEqual([3 * PAGE, 1, 3]);
    buffer.bytes[0] = 9;
    expect(buffer.bytes[0]).toBe(9);
    expect(readFileSync(path)[0]).toBe(1);
  });

  test('has what was written to a shared mapping once that is flushed', async () => {
    const path = newFile(3);
    using buffer = numa.mapFile(path, { protection: 'write' });
    buffer.bytes[PAGE] = 42;
    await buffer.flush({ offsetBytes: PAGE, lengthBytes: PAGE });
    expect(readFileSync(path)[PAGE]).toBe(42);
    expect(buffer.isTruncated()).toBe(false);
  });

  test('has it also after a release, and nothing of a private mapping', async () => {
    const path = newFile(1);
    const shared = numa.mapFile(path, { protection: 'write' });
    const own = numa.mapFile(path, { protection: 'write', visibility: 'private' });
    own.bytes[1] = 5;
    shared.bytes[0] = 7;
    await own.flush();
    own.release();
    shared.release();
    expect([...readFileSync(path).subarray(0, 2)]).toEqual([7, 1]);
  });

  test('is mapped from a page on', () => {
    const part = { offsetBytes: PAGE, lengthBytes: PAGE + 1 };
    using buffer = numa.mapFile(newFile(3), part);
    expect([buffer.bytes.length, buffer.bytes[0], buffer.bytes[PAGE]]).toEqual([PAGE + 1, 2, 3]);
  });

  test('moves with its pages in the page cache', async (context) => {
    const [first, other] = needNodes(context, 2) as [number, number];
    using buffer = numa.mapFile(newFile(8), { protection: 'write' });
    const before = numa.thread.affinity();
    numa.thread.setAffinity(numa.topology.node(first).cpus ?? before);
    try {
      buffer.touch();
    } finally {
      numa.thread.setAffinity(before);
    }
    await buffer.flush();
    const report = await buffer.migrate({ to: other });
    expect(report.after).toEqual({ [other]: 8 });
    expect(buffer.bytes[7 * PAGE]).toBe(8);
    const [mapping] = await numa.process().mappings({ address: buffer.address });
    expect(mapping?.bytesByNode).toEqual({ [other]: 8 * PAGE });
  });

  test('that was cut off meanwhile stays as short, and flush() tells it', async () => {
    const path = newFile(4);
    using buffer = numa.mapFile(path, { protection: 'write' });
    buffer.bytes.fill(9);
    await buffer.flush();
    truncateSync(path, PAGE);
    buffer.bytes.fill(8);
    await expect(buffer.flush()).rejects.toMatchObject({
      code: 'NUMA_SYSTEM_ERROR',
      rule: expect.stringContaining('made shorter'),
    });
    expect(buffer.isTruncated()).toBe(true);
    const { length, [PAGE - 1]: last } = readFileSync(path);
    expect([length, last]).toEqual([PAGE, 8]);
  });

  test('that lost its name to another leaves that one alone', async () => {
    const path = newFile(1);
    using buffer = numa.mapFile(path, { protection: 'write' });
    buffer.bytes.fill(9);
    const other = newFile(2);
    renameSync(other, path);
    await buffer.flush();
    expect([...readFileSync(path).subarray(0, 2)]).toEqual([1, 1]);
    using second = numa.mapFile(path);
    expect([second.lengthBytes, second.bytes[PAGE]]).toEqual([2 * PAGE, 2]);
    rmSync(path);
    buffer.bytes.fill(8);
    await buffer.flush();
  });

  test('that cannot be mapped is an error that says why', () => {
    const missing = join(folder, 'none');
    expect(codeOf(() => numa.mapFile(missing))).toBe('NUMA_INVALID_ARGUMENT');
    expect(codeOf(() => numa.mapFile(folder))).toBe('NUMA_INVALID_ARGUMENT');
    expect(codeOf(() => numa.mapFile(folder, { protection: 'write' }))).toBe(
      'NUMA_INVALID_ARGUMENT',
    );
    expect(codeOf(() => numa.mapFile(newFile(0)))).toBe('NUMA_INVALID_ARGUMENT');
    const loop = join(folder, 'loop');
    symlinkSync(loop, loop);
    expect(codeOf(() => numa.mapFile(loop))).toBe('NUMA_INVALID_ARGUMENT');
    expect(codeOf(() => numa.mapFile('x'.repeat(5000)))).toBe('NUMA_INVALID_ARGUMENT');
    const long = { lengthBytes: PAGE + 1 };
    expect(codeOf(() => numa.mapFile(newFile(1), long))).toBe('NUMA_INVALID_ARGUMENT');
    expect(() => numa.mapFile(newFile(2), { offsetBytes: 1 })).toThrow(RangeError);
  });
});

describe('on a kernel', () => {
  beforeEach((context) => {
    if (!isNative) context.skip('needs a process of this host');
  });

  test('a file that may only be read is not mapped shared', () => {
    const fd = openSync(newFile(1), 'r');
    expect(codeOf(() => numa.map(fd))).toBe('NUMA_NOT_PERMITTED');
    using buffer = numa.map(fd, { visibility: 'private' });
    expect(buffer.bytes[0]).toBe(1);
  });

  test('a socket and a folder are no memory', async () => {
    const server = await new Promise<Server>((resolve) => {
      const made = createServer().listen(0, () => resolve(made));
    });
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    expect(codeOf(() => numa.map(fd))).toBe('NUMA_INVALID_ARGUMENT');
    server.close();
    expect(codeOf(() => numa.map(openSync(folder, 'r')))).toBe('NUMA_INVALID_ARGUMENT');
  });

  test('a file that is cut off in the middle of reads has zeros from there on', () => {
    const path = newFile(4);
    using buffer = numa.mapFile(path);
    using shared = numa.mapFile(path, { protection: 'write' });
    const read = () => [0, 1, 2, 3].map((page) => buffer.bytes[page * PAGE]);
    expect(read()).toEqual([1, 2, 3, 4]);
    truncateSync(path, PAGE + 1);
    expect(buffer.isTruncated()).toBe(false);
    expect(read()).toEqual([1, 2, 0, 0]);
    expect(buffer.isTruncated()).toBe(true);
    shared.bytes.fill(8, 2 * PAGE);
    expect(shared.isTruncated()).toBe(true);
    expect(readFileSync(path).length).toBe(PAGE + 1);
  });

  test('another SIGBUS ends the process as it would without node-numa', async () => {
    const library = JSON.stringify(new URL('../../dist/index.js', import.meta.url));
    const program = `
      const { openNuma } = await import(${library});
      const numa = openNuma({ backend: 'native' });
      numa.mapFile(${JSON.stringify(newFile(1))});
      process.kill(process.pid, 'SIGBUS');
      await new Promise((resolve) => setTimeout(resolve, 60_000));`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    await expect(run).rejects.toMatchObject({ signal: 'SIGBUS' });
  });
});
