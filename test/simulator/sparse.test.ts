/**
 * Mappings of 16 TiB with a few pages: what is done with them takes as long as their pages do. The
 * calls are counted, for a look at each address would take millions of them.
 */

import { describe, expect, it } from 'vitest';
import { oldestKernelLine } from '../../lib/core/kernels.ts';
import { MIB_BYTES } from '../../lib/core/units.ts';
import { type MappedBuffer, openNuma } from '../../lib/index.ts';
import { kernelLines, Machine } from '../../lib/simulator/public.ts';
import { failureOf } from '../core/thrown.ts';

const LENGTH_BYTES = 2 ** 44;
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
    expect(process.memoryUsage.rss() - rssBytes).toBeLessThan(100 * MIB_BYTES);
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

describe.each(kernelLines)('pages of zeros in a large range, Linux %s', (kernel) => {
  it('are counted as those of a small one', async () => {
    const machine = new Machine(undefined, { kernel });
    const numa = openNuma({ machine });
    const pageCount = 2 ** 19;
    const buffer = numa.allocate(pageCount * 4096);
    const at = (page: number) => buffer.address + BigInt(page * 4096);
    const { memory } = machine.self;
    memory.touch({ address: at(7), pageCount: 2 }, 'write');
    memory.touch({ address: at(200_000), pageCount: 3 }, 'read');
    memory.touch({ address: at(pageCount - 9), pageCount: 1 }, 'read');
    const pages = { present: 2, zeroPage: 4, notPresent: pageCount - 6 };
    const few = await buffer.residency({ offsetBytes: 200_000 * 4096, lengthBytes: 8 * 4096 });
    expect(few.pages).toMatchObject({ zeroPage: 3 });
    expect((await buffer.residency()).pages).toMatchObject(pages);
    expect(buffer.residencySync().pages).toMatchObject(pages);
    const { pid: childPid } = machine.self.fork();
    for (const pid of [machine.self.pid, childPid]) {
      const places = await numa.process(pid).locate({ address: buffer.address, pageCount });
      expect(places.filter((place) => place === -14)).toHaveLength(4);
    }
    const { present: moved, ...others } = pages;
    const report = await buffer.migrate({ to: 1, includeShared: true });
    expect(report.pages).toMatchObject({ moved, ...others });
  });
});

it.each(kernelLines)('only what is mapped is looked through, Linux %s', async (kernel) => {
  const machine = new Machine(undefined, { kernel });
  const numa = openNuma({ machine });
  const child = machine.process();
  const mapped = child.memory.mmap({ address: 0x10_0000_0000n, pageCount: 4 });
  expect(mapped.ok).toBe(true);
  child.memory.touch({ address: 0x10_0000_1000n, pageCount: 2 }, 'write');
  const place = { address: 0x10_0000_1000n, pageCount: 2, place: 0 };
  // Beyond the end of the address space.
  const everything = { address: 0n, pageCount: 2 ** 50 };
  const runs = await numa.process(child.pid).locateRuns(everything);
  expect(runs.filter(({ address }) => address < 2n ** 40n)).toEqual([place]);
});

describe('where the kernel looks for no pages', () => {
  it('an end to the look is heeded also where move_pages is refused', async () => {
    const { buffer, machine } = openSparse(oldestKernelLine);
    machine.faults.deny('move_pages');
    const signal = AbortSignal.timeout(50);
    await expect(buffer.residency({ signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('a page in the middle of memory of its own is found as well', async () => {
    const { buffer, machine } = openSparse(oldestKernelLine);
    const address = buffer.address + BigInt(LENGTH_BYTES / 2);
    machine.self.memory.touch({ address, pageCount: 1 }, 'write');
    expect(buffer.residencySync().pages).toMatchObject({ present: 5 });
    const report = await buffer.migrate({ to: 1 });
    expect(report).toMatchObject({ complete: true, pages: { moved: 5 } });
  });

  it('of another process it is read, and an end to the look is heeded at each step', async () => {
    const { numa, buffer, machine } = openSparse(oldestKernelLine);
    const other = numa.process(machine.self.fork().pid);
    const signal = AbortSignal.timeout(50);
    const span = { address: buffer.address, pageCount: LENGTH_BYTES / 4096 };
    await expect(other.locateRuns(span, { signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const controller = new AbortController();
    const moved = other.migrateMappings({
      mappings: { address: buffer.address },
      to: 1,
      includeShared: true,
      signal: controller.signal,
      // While the rest is looked through.
      onProgress: () => void setTimeout(() => controller.abort(), 5),
    });
    const { error } = await failureOf(() => moved);
    expect(error).toMatchObject({ name: 'AbortError', report: { pages: { moved: 2 } } });
  });
});
