/** What the machine says of its nodes and of automatic balancing. */

import { describe, expect, test } from 'vitest';
import type { Backend } from '../../lib/backend/backend.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { bind, openNuma } from '../../lib/index.ts';
import { firstNode, isExpendable, numa, usesHugePages } from './machine.ts';
import { balanceNow, hasBalancing, openBackend } from './subject.ts';

const LENGTH_BYTES = 4 * 2 ** 20;

/** The machine of a sandbox that shows no files. */
function withoutFiles(backend: Backend): Backend {
  const refuse = async () => ({ ok: false, errno: ERRNO.ENOENT, syscall: 'open' });
  return new Proxy(backend, {
    get: (target, name) => {
      if (name === 'readText' || name === 'readNames') return refuse;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('statistics of nodes', () => {
  test('are of the nodes that the topology has', async () => {
    const nodes = await numa.nodeStatistics();
    expect(nodes.map(({ id }) => id)).toEqual(numa.topology.nodes.map(({ id }) => id));
    for (const { id, memory, meminfo, hugePages } of nodes) {
      expect(memory.totalBytes).toBe(numa.topology.node(id).memoryBytes);
      expect(memory.usedBytes).toBe(Number(memory.totalBytes) - Number(memory.freeBytes));
      expect(meminfo).toMatchObject({ MemTotal: memory.totalBytes, MemUsed: memory.usedBytes });
      const sizes = (hugePages ?? []).map(({ pageSizeBytes }) => pageSizeBytes);
      expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    }
  });

  test('count what a node gives out', async () => {
    const hits = async (): Promise<number> => {
      const node = (await numa.nodeStatistics()).find(({ id }) => id === firstNode);
      return node?.allocations?.numaHit ?? Number.NaN;
    };
    const before = await hits();
    using buffer = numa.allocate(LENGTH_BYTES, { policy: bind(firstNode) });
    buffer.touch();
    const pageCount = LENGTH_BYTES / numa.pageSizeBytes;
    expect((await hits()) - before).toBeGreaterThanOrEqual(usesHugePages() ? 1 : pageCount);
  });

  test('without files are what the system calls tell', async () => {
    const blind = openNuma({ backend: withoutFiles(openBackend()) });
    for (const { id, memory, ...unknown } of await blind.nodeStatistics()) {
      expect(memory.totalBytes).toBe(blind.topology.node(id).memoryBytes);
      expect(unknown).toEqual({ allocations: null, meminfo: null, hugePages: null });
    }
    const { mode, scan, counters } = await blind.balancing();
    const told = [mode, ...Object.values(scan), ...Object.values(counters)];
    expect(new Set(told)).toEqual(new Set([null]));
  });
});

describe('automatic balancing', () => {
  test('is told by a word', async (context) => {
    if (!isExpendable || !hasBalancing) context.skip('changes a setting of the kernel');
    expect(await numa.balancing()).toMatchObject({ mode: 'off' });
    const restore = balanceNow();
    try {
      expect(await numa.balancing()).toMatchObject({ mode: 'normal' });
    } finally {
      restore();
    }
  });

  test('counts moves, whoever asked for them', async (context) => {
    const [from, to] = numa.allowedNodes().intersection(numa.topology.withMemory).toArray();
    if (from === undefined || to === undefined) return context.skip('needs 2 nodes with memory');
    using buffer = numa.allocate(LENGTH_BYTES, { policy: bind(from) });
    buffer.touch();
    const before = (await numa.balancing()).counters.pgmigrateSuccess ?? Number.NaN;
    await buffer.migrate({ to });
    const after = (await numa.balancing()).counters.pgmigrateSuccess ?? Number.NaN;
    expect(after - before).toBeGreaterThanOrEqual(LENGTH_BYTES / numa.pageSizeBytes);
  });
});
