/**
 * Mappings of 16 TiB with a few pages: what is done with them takes as long as their pages do. The
 * calls are counted, for a look at each address would take millions of them.
 */

import { describe, expect, it } from 'vitest';
import { type MappedBuffer, openNuma } from '../../lib/index.ts';
import { kernelLines, Machine } from '../../lib/simulator/public.ts';

const LENGTH_BYTES = 2 ** 44;
const MIB = 2 ** 20;
/** Kernels without PAGEMAP_SCAN find quickly what is near an end. */
const PLACES = [3, LENGTH_BYTES / 4096 - 70_000] as const;

interface Sparse {
  readonly machine: Machine;
  readonly numa: ReturnType<typeof openNuma>;
  readonly buffer: MappedBuffer;
}

function openSparse(kernel: (typeof kernelLines)[number]): Sparse {
  const machine = new Machine(undefined, { kernel });
  const numa = openNuma({ machine });
  const buffer = numa.allocate(LENGTH_BYTES);
  for (const page of PLACES) {
    const address = buffer.address + BigInt(page * numa.pageSizeBytes);
    machine.self.memory.touch({ address, pageCount: 2 }, 'write');
  }
  return { machine, numa, buffer };
}

describe.each(kernelLines)('16 TiB with 4 pages, Linux %s', (kernel) => {
  const pageCount = LENGTH_BYTES / 4096;
  const absent = pageCount - 4;

  it('a buffer tells where they are', async () => {
    const { buffer } = openSparse(kernel);
    const pages = { total: pageCount, present: 4, notPresent: absent, zeroPage: 0, failed: 0 };
    expect(buffer.residencySync()).toMatchObject({ pages, byNode: { 0: 4 } });
    expect(await buffer.residency()).toMatchObject({ pages, byNode: { 0: 4 } });
  });

  it('a buffer moves them', async () => {
    const { buffer } = openSparse(kernel);
    const rssBytes = process.memoryUsage.rss();
    const report = await buffer.migrate({ to: 1 });
    expect(report).toMatchObject({
      complete: true,
      pages: { total: pageCount, moved: 4, notPresent: absent },
    });
    expect(report.syscalls['move_pages']).toBeLessThan(10);
    expect(process.memoryUsage.rss() - rssBytes).toBeLessThan(100 * MIB);
  });

  it('a full node is judged also where nothing is to move', async () => {
    const { numa } = openSparse(kernel);
    const empty = numa.allocate(LENGTH_BYTES);
    const report = await empty.migrate({ to: 1 });
    expect(report).toMatchObject({ complete: true, pages: { notPresent: pageCount } });
    expect(report.syscalls['move_pages']).toBeLessThan(10);
  });

  it('a process tells where they are, and moves them', async () => {
    const { machine, numa, buffer } = openSparse(kernel);
    const own = numa.process(machine.self.pid);
    const size = BigInt(numa.pageSizeBytes);
    const runs = PLACES.map((page) => ({
      address: buffer.address + BigInt(page) * size,
      pageCount: 2,
      place: 0,
    }));
    expect(await own.locateRuns({ address: buffer.address, pageCount })).toEqual(runs);
    const report = await own.migrateMappings({
      mappings: { address: buffer.address },
      to: 2,
      pauseBudgetMs: 1,
    });
    expect(report.pages).toMatchObject({ total: pageCount, moved: 4, notPresent: absent });
    expect(report.syscalls['move_pages']).toBeLessThan(10);
    expect((await own.residency()).bytesByNode).toMatchObject({ 2: 4 * numa.pageSizeBytes });
  });

  it('an array of their places would be too long', async () => {
    const { machine, numa, buffer } = openSparse(kernel);
    const own = numa.process(machine.self.pid);
    await expect(own.locate({ address: buffer.address, pageCount })).rejects.toMatchObject({
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: expect.stringContaining('locateRuns'),
    });
  });
});

describe('where the kernel looks for no pages', () => {
  it('an end to the look is heeded also where move_pages is refused', async () => {
    const { buffer, machine } = openSparse('6.1');
    machine.faults.deny('move_pages');
    const signal = AbortSignal.timeout(50);
    await expect(buffer.residency({ signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('an end to the look is heeded', async () => {
    const { buffer, machine } = openSparse('6.1');
    // More pages than will be found: the whole range would have to be read.
    const address = buffer.address + BigInt(LENGTH_BYTES / 2);
    machine.self.memory.touch({ address, pageCount: 1 }, 'write');
    const signal = AbortSignal.timeout(50);
    await expect(buffer.residency({ signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    const moved = buffer.migrate({ to: 1, signal: AbortSignal.timeout(50) });
    await expect(moved).rejects.toMatchObject({ name: 'AbortError' });
  });
});
