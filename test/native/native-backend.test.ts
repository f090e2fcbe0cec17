/** The TypeScript face of the addon: what it adds to the raw exports. */

import { release } from 'node:os';
import { describe, expect, it } from 'vitest';
import { hostMemoryNodes, openNativeBackend } from '../../lib/native-backend/native-backend.ts';

const opened = openNativeBackend();
if (!opened.ok) throw new Error(opened.reason);
const { backend } = opened;

describe('the native backend', () => {
  it('says what it is', () => {
    expect(backend.identity.kind).toBe('native');
    expect(backend.identity.kernel).toBe(release());
    expect(backend.identity.libnuma).toMatch(/^libnuma\.so\.1/);
    expect(backend.pageSizeBytes).toBeGreaterThanOrEqual(4096);
  });

  it('reports nodes, distances and allowed nodes that fit together', () => {
    const result = backend.topology();
    if (!result.ok) throw new Error('no topology');
    const { nodes, distances, allowedNodes } = result.value;
    const ids = nodes.map((node) => node.id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(distances.map((row) => row.length)).toEqual(ids.map(() => ids.length));
    for (const index of ids.keys()) expect(distances[index]?.[index]).toBe(10);
    for (const node of allowedNodes) expect(ids).toContain(node);
    expect(nodes.filter((node) => node.memoryBytes !== 0)).toHaveLength(hostMemoryNodes().count);
  });

  it('gives one pagemap entry for each page', () => {
    const mapped = backend.mmap({ lengthBytes: 3 * backend.pageSizeBytes });
    if (!mapped.ok) throw new Error('no memory');
    const { address } = mapped.value;
    backend.touch(mapped.value, backend.pageSizeBytes, 1, 'write');
    const result = backend.pagemap({ address, pageCount: 3 });
    if (!result.ok) throw new Error(`errno ${result.errno}`);
    const present = [...result.value].map((entry) => entry >> 63n);
    expect(present).toEqual([0n, 1n, 0n]);
    backend.munmap(mapped.value);
  });

  it('tells the mapped parts of a range, cut to it', () => {
    const mapped = backend.mmap({ lengthBytes: 4 * backend.pageSizeBytes });
    if (!mapped.ok) throw new Error('no memory');
    const { address } = mapped.value;
    const page = (index: number) => address + BigInt(index * backend.pageSizeBytes);
    const partsOf = (first: number, pageCount: number) => {
      const result = backend.maps({ address: page(first), pageCount });
      if (!result.ok) throw new Error(`errno ${result.errno}`);
      return result.value;
    };
    expect(partsOf(0, 4)).toEqual([{ address, pageCount: 4 }]);
    const lengthBytes = backend.pageSizeBytes;
    backend.mbind({ address: page(1), lengthBytes, mode: 4, nodemask: null, flags: 0 });
    const parts = [0, 1, 2].map((index) => ({
      address: page(index),
      pageCount: index === 2 ? 2 : 1,
    }));
    expect(partsOf(0, 4)).toEqual(parts);
    expect(partsOf(1, 2)).toEqual([parts[1], { address: page(2), pageCount: 1 }]);
    expect(backend.maps({ address: 0n, pageCount: 1 })).toEqual({ ok: true, value: [] });
    backend.munmap(mapped.value);
  });

  it('moves pages named one by one, with statuses in place', async () => {
    const mapped = backend.mmap({ lengthBytes: 2 * backend.pageSizeBytes });
    if (!mapped.ok) throw new Error('no memory');
    const { address, lengthBytes } = mapped.value;
    backend.touch(mapped.value, 0, lengthBytes, 'write');
    const pages = BigUint64Array.of(address + BigInt(backend.pageSizeBytes), address);
    const status = new Int32Array(2).fill(-10_000);
    const request = { pid: 0, pages, nodes: null, flags: 2, status, mapping: mapped.value };
    expect(await backend.movePages(request)).toEqual({ ok: true, value: 0 });
    expect([...status].every((node) => node >= 0)).toBe(true);
    expect(backend.movePagesSync(request)).toEqual({ ok: true, value: 0 });
    backend.munmap(mapped.value);
  });
});
