/**
 * After munmap the memory of a buffer is given back at once, and its addresses stay reserved and
 * harmless until its ArrayBuffer is collected: pending operations of Node go on with them.
 */

import { execFile, execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, read, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Mapping } from '../../lib/backend/mapping.ts';
import { PM_PRESENT } from '../../lib/core/uapi.ts';
import { inGuest } from '../support/environment.ts';
import { isMapped, mapCount } from './memory-map.mjs';
import { addon, collectGarbage, pageSizeBytes, touchedMapping, unwrap } from './raw-addon.mjs';

const LOOP = fileURLToPath(new URL('workers/release-loop.mjs', import.meta.url));

const REPLACED = fileURLToPath(new URL('workers/replaced-transfer.mjs', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'node-numa-'));
const memory = openSync('/proc/self/mem', 'r+');
afterAll(() => {
  closeSync(memory);
  rmSync(folder, { recursive: true });
});

/** What workers/release-loop.mjs says. */
interface Outcome {
  readonly rounds: number;
  readonly error: string | null;
  readonly mapsGrowth: number;
  readonly givenBackBytes: number;
}

function bytesOf(mapping: Mapping): Uint8Array<ArrayBuffer> {
  return new Uint8Array(unwrap(addon.array_buffer(mapping)));
}

/** Past all owners and views, as a pending operation reads and writes. */
function readAt(address: bigint, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes, 0xff);
  expect(readSync(memory, bytes, 0, lengthBytes, address)).toBe(lengthBytes);
  return bytes;
}

function isPresent(address: bigint): boolean {
  const entries = new BigUint64Array(1);
  unwrap(addon.pagemap(0, address, entries));
  return ((entries[0] ?? 0n) & PM_PRESENT) !== 0n;
}

describe('released addresses', () => {
  it('have no memory, read as zeros, and can be written', () => {
    const mapping = touchedMapping(3);
    const { address, lengthBytes } = mapping;
    const bytes = bytesOf(mapping).fill(0x11);
    addon.munmap(mapping);
    expect(isPresent(address)).toBe(false);
    expect(isMapped(address)).toBe(true);
    expect(readAt(address, lengthBytes).every((byte) => byte === 0)).toBe(true);
    expect(
      writeSync(memory, Buffer.alloc(lengthBytes, 0x22), 0, lengthBytes, Number(address)),
    ).toBe(lengthBytes);
    expect(bytes.length).toBe(0);
  });

  it('take what a pending fs.read writes, and the next buffer does not', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const file = openSync(pipe, 'r+');
    const old = touchedMapping(1);
    const { address } = old;
    const done = promisify(read)(file, bytesOf(old), 0, pageSizeBytes, null);
    addon.munmap(old);
    const next = touchedMapping(1);
    const bytes = bytesOf(next).fill(0x77);
    expect(next.address).not.toBe(address);
    writeSync(file, Buffer.alloc(pageSizeBytes, 0xee));
    expect((await done).bytesRead).toBe(pageSizeBytes);
    closeSync(file);
    expect(bytes.every((byte) => byte === 0x77)).toBe(true);
    addon.munmap(next);
  });

  it('are given back one after the other, without a hole that no neighbour fills', async () => {
    const count = 400;
    const before = mapCount();
    let kept = releasedViews(count).filter((_, index) => index % 2 === 0);
    await collectGarbage();
    // A hole for every other view would make twice as many mappings as are kept.
    expect(mapCount() - before).toBeLessThan(count / 4);
    expect(kept.every(({ length }) => length === 0)).toBe(true);
    kept = [];
    await collectGarbage();
    expect(mapCount() - before).toBeLessThan(10);
  });

  it('keep the bytes of another owner, who goes on', async () => {
    const first = touchedMapping(1);
    const second = unwrap(addon.attach(first.handle.id, first.handle.generation));
    const [own, others] = [bytesOf(first).fill(0x33), bytesOf(second)];
    addon.munmap(first);
    expect([own.length, others[0]]).toEqual([0, 0x33]);
    addon.munmap(second);
    expect(isPresent(first.address)).toBe(false);
  });
});

describe('a loop without a turn of the event loop', () => {
  const count = inGuest ? 1000 : 10_000;
  const pageCount = 14;

  it(`maps, shows and releases ${count} buffers with few mappings`, async () => {
    const words = [LOOP, 'synchronous', `${count}`, `${pageCount * pageSizeBytes}`];
    // Arenas of the engine's threads would look like memory that was not given back.
    const env = { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.arena_max=1' };
    const { stdout } = await promisify(execFile)(process.execPath, words, { env });
    const outcome: Outcome = JSON.parse(stdout);
    expect(outcome).toMatchObject({ rounds: count, error: null });
    expect(outcome.mapsGrowth).toBeLessThan(200);
    // With the page without access on each side.
    const reservedBytes = (pageCount + 2) * count * pageSizeBytes;
    expect(outcome.givenBackBytes).toBeGreaterThan(0.95 * reservedBytes);
  });
});

describe('a loop with turns', () => {
  it('has the addresses of collected views back before it fails for lack of any', async () => {
    // 6 GiB where 4 may be mapped, of which Node takes one or two.
    const command = `ulimit -v ${4 * 2 ** 20}; exec "$0" "$@"`;
    const words = [process.execPath, LOOP, 'in turns', '96', `${64 * 2 ** 20}`];
    const { stdout } = await promisify(execFile)('sh', ['-c', command, ...words]);
    expect(JSON.parse(stdout)).toMatchObject({ rounds: 96, error: null });
  });
});

describe('a replaced ArrayBuffer.prototype.transfer', () => {
  it.each(['releasing', 'copying'])('%s leaves no length behind', async (kind) => {
    const { stdout } = await promisify(execFile)(process.execPath, [REPLACED, kind]);
    expect(stdout).toBe('0\n');
  });
});

function releasedViews(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const mapping = touchedMapping(1);
    const bytes = bytesOf(mapping);
    addon.munmap(mapping);
    return bytes;
  });
}
