/** Moves by copies that take the pages' place: same addresses, same data, and only where sound. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, bind, interleave, type MigrateOptions, openNuma } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { chooseHugePages, firstNode, memoryNodes, needNodes, numa } from './machine.ts';
import {
  allocateOn,
  checksum,
  expectTrueOf,
  PAGE,
  pagesIn,
  writePattern,
} from './placed-buffer.ts';
import { openBackend } from './subject.ts';

const EPERM = 1;
const EAGAIN = 11;
const otherNode = memoryNodes[1] ?? firstNode;
const PROMISED = { concurrency: 'quiesced', mayBePinned: false } as const;
const COPY = { to: otherNode, ...PROMISED, way: 'copy' } as const;

let restoreHugePages: (() => void) | undefined;
beforeAll(() => {
  restoreHugePages = chooseHugePages('never');
});
afterAll(() => restoreHugePages?.());

/** This machine's backend, which refuses what is named as a filter does. */
function refusing(...syscalls: readonly string[]): Backend {
  const methods: Readonly<Record<string, string>> = {
    movePages: 'move_pages',
    movePagesSync: 'move_pages',
    mbind: 'mbind',
    getMempolicy: 'get_mempolicy',
  };
  return new Proxy(openBackend(), {
    get(target, name) {
      const syscall = methods[name as string];
      if (syscall !== undefined && syscalls.includes(syscall)) {
        const refusal = { ok: false, errno: EPERM, syscall };
        return name === 'movePages' ? () => Promise.resolve(refusal) : () => refusal;
      }
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

describe('copies of what nobody writes', () => {
  test('take the place of all pages', async () => {
    using buffer = allocateOn(firstNode, pagesIn(5) + 3);
    writePattern(buffer);
    const before = checksum(buffer);
    const { bytes, address } = buffer;
    const report = await buffer.migrate(COPY);
    expect(report).toMatchObject({ method: 'copy', complete: true, target: otherNode });
    expectTrueOf(buffer, report);
    expect(report.pages.moved).toBe(otherNode === firstNode ? 0 : buffer.pageCount);
    expect(report.syscalls['move_pages']).toBeUndefined();
    expect(buffer.bytes).toBe(bytes);
    expect(buffer.address).toBe(address);
    expect(checksum(buffer)).toBe(before);
    expect(buffer.policy().mode).toBe('default');
  });

  test('leave holes, and make some of pages that were only read', async (context) => {
    const [from = 0, to = 0] = needNodes(context, 2);
    using buffer = numa.allocate(pagesIn(5) * PAGE, { policy: bind(from) });
    for (const megabyte of [0, 3, 4]) {
      buffer.touch({ offsetBytes: megabyte * 2 ** 20 + PAGE, lengthBytes: 2 ** 19 });
    }
    buffer.touch({ access: 'read', offsetBytes: 3.75 * 2 ** 20, lengthBytes: 5 * PAGE });
    writeWords(buffer.bytes.subarray(PAGE, PAGE + 2 ** 19));
    const copy = buffer.bytes.slice();
    const known = buffer.residencySync();
    const report = await buffer.migrate({ ...COPY, to });
    expectTrueOf(buffer, report);
    expect(report.pages.moved).toBe(known.pages.present);
    expect(buffer.residencySync().pages.present).toBe(known.pages.present);
    expect(Buffer.compare(buffer.bytes, copy)).toBe(0);
  });

  test('have the policies of the pages, part by part', async () => {
    using buffer = allocateOn(firstNode, pagesIn(3));
    buffer.setPolicy(bind(firstNode), { offsetBytes: 8 * PAGE, lengthBytes: 8 * PAGE });
    buffer.setPolicy(interleave('all'), { offsetBytes: 2 ** 20, lengthBytes: 2 ** 20 });
    writePattern(buffer);
    const data = checksum(buffer);
    const at = [0, 8, 16, pagesIn(1), pagesIn(2)];
    const policies = () => at.map((page) => `${buffer.policy({ offsetBytes: page * PAGE })}`);
    const before = policies();
    expectTrueOf(buffer, await buffer.migrate(COPY));
    expect(policies()).toEqual(before);
    expect(checksum(buffer)).toBe(data);
  });

  test('leave a policy that was set before a part was on its way', async () => {
    using buffer = allocateOn(firstNode, pagesIn(7));
    const at = [0, 2, 4, 6].map((megabytes) => megabytes * 2 ** 20);
    const policies = () => at.map((offsetBytes) => buffer.policy({ offsetBytes }).mode);
    let isSet = false;
    await buffer.migrate({
      ...COPY,
      pauseBudgetMs: 1e-6,
      onProgress: () => {
        if (!isSet) buffer.setPolicy(interleave('all'));
        isSet = true;
      },
    });
    expect(policies()).toEqual(at.map(() => 'interleave'));
  });

  test('of one range by several moves at once', async (context) => {
    const [from = 0, to = 0] = needNodes(context, 2);
    using buffer = allocateOn(from, pagesIn(6) + 3);
    buffer.setPolicy(interleave('all'), { offsetBytes: 2 ** 21, lengthBytes: 2 ** 20 });
    writePattern(buffer);
    const data = checksum(buffer);
    const targets = [to, from, to, to];
    const moves = targets.map((node) => buffer.migrate({ ...COPY, to: node }));
    const [plan, ...reports] = await Promise.all([buffer.plan(COPY), ...moves]);
    expect(plan.way).toBe('copy');
    for (const { pages } of reports) {
      const { total, ...parts } = pages;
      expect(Object.values(parts).reduce((sum, count) => sum + count)).toBe(total);
    }
    expect(checksum(buffer)).toBe(data);
  });

  test('of memory on several nodes move what is elsewhere', async (context) => {
    const [from = 0, to = 0] = needNodes(context, 2);
    using buffer = allocateOn(from, pagesIn(6));
    writePattern(buffer);
    const data = checksum(buffer);
    await buffer.migrate({ to, offsetBytes: 0, lengthBytes: 2.5 * 2 ** 20 });
    const report = await buffer.migrate({ ...COPY, to });
    expectTrueOf(buffer, report);
    expect(report.pages.alreadyThere).toBe(pagesIn(2.5));
    expect(report.pages.moved).toBe(pagesIn(3.5));
    expect(checksum(buffer)).toBe(data);
  });

  test('of huge pages have the next copies made in these', async (context) => {
    const restore = chooseHugePages('always') ?? context.skip('changes a setting of the kernel');
    try {
      using buffer = allocateOn(firstNode, pagesIn(6));
      writePattern(buffer);
      const data = checksum(buffer);
      for (const to of [otherNode, firstNode, otherNode]) {
        const report = await buffer.migrate({ ...COPY, to });
        expect(report).toMatchObject({ method: 'copy', complete: true });
        expectTrueOf(buffer, report);
        expect(checksum(buffer)).toBe(data);
      }
    } finally {
      restore();
    }
  });

  test('of a part leave the rest where it is, and end between two steps', async (context) => {
    const [from = 0, to = 0] = needNodes(context, 2);
    using buffer = allocateOn(from, pagesIn(3));
    const part = { offsetBytes: 5 * PAGE, lengthBytes: 2 ** 20, exclude: { offsetBytes: 2 ** 20 } };
    const report = await buffer.migrate({ ...COPY, to, ...part });
    expect(report.pages).toMatchObject({ total: pagesIn(1) - 5, moved: pagesIn(1) - 5 });
    expect(buffer.residencySync().byNode[to]).toBe(pagesIn(1) - 5);
    const failure = await failureOf(() =>
      buffer.migrate({
        ...COPY,
        to,
        pauseBudgetMs: 1e-6,
        onProgress: () => AbortSignal.abort().throwIfAborted(),
      }),
    );
    expect(failure.error).toMatchObject({
      name: 'AbortError',
      report: { method: 'copy', aborted: true },
    });
  });
});

test('copies for which no thread can be made say so', async (context) => {
  const [from = 0, to = 0] = needNodes(context, 2);
  const backend = openBackend();
  const refusal = { ok: false, errno: EAGAIN, syscall: 'copy_pages' } as const;
  const without = new Proxy(backend, {
    get: (target, name) => {
      if (name === 'copyPages') return () => Promise.resolve(refusal);
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  using buffer = allocateOn(from, 4);
  using attached = openNuma({ backend: without }).attach(buffer.handle);
  const { code, error } = await failureOf(() => attached.migrate({ ...COPY, to }));
  expect(code).toBe('NUMA_SYSTEM_ERROR');
  expect(error.hint).toContain('ulimit -u');
  expect(buffer.residencySync().byNode).toEqual({ [from]: 4 });
});

/** A number for each page. */
function writeWords(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += PAGE) bytes[at] = 1 + ((at / PAGE) % 255);
}

describe('the choice', () => {
  test('is the kernel, unless the caller promises that nothing can be lost', async () => {
    using buffer = allocateOn(firstNode, pagesIn(1));
    const promises: readonly Partial<MigrateOptions>[] = [
      {},
      { concurrency: 'quiesced' },
      { mayBePinned: false },
      { ...PROMISED, way: 'kernel' },
      { ...PROMISED, includeShared: true },
    ];
    for (const promise of promises) {
      const { includeShared: _, ...asked } = promise;
      const report = await buffer.migrate({ to: firstNode, ...asked });
      expect(report.method, JSON.stringify(promise)).toBe('move_pages');
      expect(report.methodReason).toContain('the kernel moves');
      const { way, wayReason } = await buffer.plan({ to: firstNode, ...asked });
      if (asked.concurrency === undefined || asked.mayBePinned === undefined) {
        expect({ way, wayReason }).toEqual({ way: 'kernel', wayReason: report.methodReason });
      }
    }
  });

  test.each([
    [{ way: 'copy' }, 'would be lost'],
    [{ way: 'copy', concurrency: 'readers' }, 'mayBePinned false'],
    [{ way: 'copy', ...PROMISED, includeShared: true }, 'includeShared'],
    [{ way: 'copies' }, 'auto, kernel, copy'],
    [{ concurrency: 'none' }, 'live, readers, quiesced'],
    [{ mayBePinned: 'no' }, 'mayBePinned'],
  ])('%o is refused before anything moves', async (options, words) => {
    using buffer = allocateOn(firstNode, 1);
    const asked = { to: firstNode, ...options } as MigrateOptions;
    const error = await failureOf(() => buffer.migrate(asked));
    expect(error.code).toMatch(/^ERR_INVALID_ARG/);
    expect(error.message).toContain(words);
  });

  test('names what is in the way of copies', async () => {
    const shared = numa.allocate(PAGE, { shared: true });
    const view = numa.view(new Uint8Array(4 * PAGE));
    for (const [memory, words] of [
      [shared, 'shared'],
      [view, 'has not mapped'],
    ] as const) {
      const error = await failureOf(() => memory.migrate(COPY));
      expect(error).toMatchObject({
        code: 'NUMA_UNSUPPORTED',
        message: expect.stringContaining(words),
      });
      const auto = await memory.plan({ to: otherNode, ...PROMISED });
      expect(auto).toMatchObject({ way: 'kernel', wayReason: expect.stringContaining(words) });
      memory.release();
    }
  });
});

describe('where the kernel moves nothing', () => {
  test('copies are the last way, without a call of NUMA', async () => {
    const denied = openNuma({ backend: refusing('move_pages', 'mbind', 'get_mempolicy') });
    using buffer = allocateOn(firstNode, pagesIn(5));
    writePattern(buffer);
    const data = checksum(buffer);
    using attached = denied.attach(buffer.handle);
    const asked = { to: otherNode, concurrency: 'readers', mayBePinned: false } as const;
    const report = await attached.migrate(asked);
    expect(report).toMatchObject({ method: 'copy', complete: true, pages: { total: pagesIn(5) } });
    expect(Object.keys(report.syscalls)).not.toContain('move_pages');
    expectTrueOf(buffer, report);
    expect(checksum(buffer)).toBe(data);
    const without = await failureOf(() => attached.migrate({ to: otherNode }));
    expect(without).toMatchObject({ code: 'NUMA_NOT_PERMITTED' });
  });
});
