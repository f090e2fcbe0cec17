/** Mapped memory as a backend hands it out, before any policy. */

import { describe, expect } from 'vitest';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL, PAGE_IS, PM_FILE, PM_PRESENT } from '../../lib/core/uapi.ts';
import { expectValue } from '../support/expect-value.ts';
import { backendTestsOf, residencyOf } from './backend-scene.ts';
import type { BackendSubject } from './backend-world.ts';
import { UNWRITTEN } from './pages.ts';

export function mappingContract(subject: BackendSubject): void {
  describe('mapping', () => {
    const declare = backendTestsOf(subject);

    declare('whole pages are mapped, and the length is as asked', ({ backend }) => {
      const { pageSizeBytes } = backend;
      for (const [asked, pageCount] of [
        [1, 1],
        [pageSizeBytes, 1],
        [pageSizeBytes + 1, 2],
      ] as const) {
        const mapping = expectValue(backend.mmap({ lengthBytes: asked }));
        expect(mapping.lengthBytes).toBe(asked);
        expect(mapping.address % BigInt(pageSizeBytes)).toBe(0n);
        expect(backend.touch(mapping, 0, asked, 'write')).toSucceed();
        const span = { address: mapping.address, pageCount };
        const status = new Int32Array(pageCount).fill(-1);
        const request = { pid: 0, pages: span, nodes: null, flags: 0, status };
        expect(backend.movePagesSync(request)).toSucceed();
        expect(status.every((node) => node >= 0)).toBe(true);
        backend.munmap(mapping);
      }
    });

    declare('nothing, and more than there are addresses, cannot be mapped', ({ backend }) => {
      expect(backend.mmap({ lengthBytes: 0 })).toFailWith('mmap', 'EINVAL');
      expect(backend.mmap({ lengthBytes: 2 ** 52 })).toFailWith('mmap', 'ENOMEM');
    });

    declare('mapping touches no page', ({ backend, facts, map }) => {
      const nowhere = -facts.untouchedAnonymousErrno;
      expect(residencyOf(backend, map(3))).toResideOn([nowhere, nowhere, nowhere]);
    });

    declare('the memory is zero, and keeps what is written', ({ backend, map }) => {
      const mapping = map(2);
      const bytes = new Uint8Array(expectValue(backend.arrayBuffer(mapping)));
      expect(bytes.every((byte) => byte === 0)).toBe(true);
      bytes.fill(0xab);
      expect(backend.touch(mapping, 0, mapping.lengthBytes, 'write')).toSucceed();
      expect(bytes.every((byte) => byte === 0xab)).toBe(true);
    });

    declare('the bytes are one ArrayBuffer as long as the mapping', ({ backend, map }) => {
      const mapping = map(3);
      const buffer = expectValue(backend.arrayBuffer(mapping));
      expect(buffer.byteLength).toBe(mapping.lengthBytes);
      expect(expectValue(backend.arrayBuffer(mapping))).toBe(buffer);
    });
  });

  describe('touching', () => {
    const declare = backendTestsOf(subject);

    declare(
      'every page that the bytes meet is touched, and no other',
      ({ backend, facts, machine, map }) => {
        const mapping = map(4);
        const { pageSizeBytes } = backend;
        expect(backend.touch(mapping, pageSizeBytes + 100, pageSizeBytes, 'write')).toSucceed();
        const nowhere = -facts.untouchedAnonymousErrno;
        const [first, second, third, last] = residencyOf(backend, mapping);
        expect([first, last]).toEqual([nowhere, nowhere]);
        expect(machine.memoryNodes).toContain(second);
        expect(machine.memoryNodes).toContain(third);
      },
    );

    declare('a read finds the zero page, which is nowhere', ({ backend, map }) => {
      const mapping = map(2);
      expect(backend.touch(mapping, 0, mapping.lengthBytes, 'read')).toSucceed();
      expect(residencyOf(backend, mapping)).toResideOn([-ERRNO.EFAULT, -ERRNO.EFAULT]);
    });

    declare('bytes outside the mapping are out of range', ({ backend, map }) => {
      const mapping = map(2);
      const { lengthBytes } = mapping;
      for (const [offset, length] of [
        [0, lengthBytes + 1],
        [lengthBytes, 1],
        [lengthBytes - 1, 2],
      ] as const) {
        const result = backend.touch(mapping, offset, length, 'write');
        expect(result.ok, `${offset}, ${length}`).toBe(false);
        expect(result).toMatchObject({ errno: ERRNO.ERANGE });
      }
    });

    declare('the pagemap tells which pages are present', ({ backend, map }) => {
      const mapping = map(3);
      const { pageSizeBytes } = backend;
      expectValue(backend.touch(mapping, pageSizeBytes, pageSizeBytes, 'write'));
      const entries = expectValue(backend.pagemap({ address: mapping.address, pageCount: 3 }));
      expect([...entries].map((entry) => (entry & PM_PRESENT) !== 0n)).toEqual([
        false,
        true,
        false,
      ]);
      expect([...entries].map((entry) => entry & PM_FILE)).toEqual([0n, 0n, 0n]);
    });
  });

  describe('arrays', () => {
    const declare = backendTestsOf(subject);

    declare('are as long as they are, whatever they say of it', ({ backend, map }) => {
      const { address } = map(2);
      const said = <T extends object>(array: T, length: number): T =>
        Object.defineProperty(array, 'length', { value: length });
      const addresses = () => BigUint64Array.of(address, address + BigInt(backend.pageSizeBytes));
      const call = { pid: 0, pages: addresses(), nodes: null, flags: 0 };
      const status = new Int32Array(2).fill(UNWRITTEN);
      const query = { ...call, pages: said(addresses(), 1), status: said(status, 0) };
      expect(backend.movePagesSync(query)).toMatchObject({ ok: true });
      expect([...status].every((place) => place < 0 && place !== UNWRITTEN)).toBe(true);
      const short = () => said(new Int32Array(1), 2);
      const range = expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' });
      expect(() => backend.movePagesSync({ ...call, status: short() })).toThrow(range);
      const targets = { ...call, status, nodes: short() };
      expect(() => backend.movePagesSync(targets)).toThrow(range);
      const nodemask = { words: said(new BigUint64Array(1), 9), maxnode: 513 };
      expect(() => backend.setMempolicy({ mode: MPOL.BIND, nodemask })).toThrow(range);
    });
  });

  describe('scanning', () => {
    const declare = backendTestsOf(subject);

    declare('mincore tells runs of pages that are in memory', ({ backend, map }) => {
      const { pageSizeBytes } = backend;
      const mapping = map(8);
      const { address } = mapping;
      const at = (page: number): bigint => address + BigInt(page * pageSizeBytes);
      expectValue(backend.touch(mapping, pageSizeBytes, 2 * pageSizeBytes, 'write'));
      expectValue(backend.touch(mapping, 4 * pageSizeBytes, pageSizeBytes, 'read'));
      const runs = [
        { address: at(1), pageCount: 2 },
        { address: at(4), pageCount: 1 },
      ];
      expect(expectValue(backend.mincore({ address, pageCount: 8 }))).toEqual(runs);
      const part = { address: at(2), pageCount: 2 };
      expect(expectValue(backend.mincore(part))).toEqual([{ address: at(2), pageCount: 1 }]);
      expect(expectValue(backend.mincore({ address: at(4), pageCount: 0 }))).toEqual([]);
      const wrong = { address: address + 1n, pageCount: 1 };
      expect(backend.mincore(wrong)).toFailWith('mincore', 'EINVAL');
      for (const pageCount of [2 ** 46, 2 ** 52]) {
        expect(backend.mincore({ address, pageCount })).toFailWith('mincore', 'ENOMEM');
      }
      backend.munmap(mapping);
      expect(backend.mincore({ address, pageCount: 8 })).toFailWith('mincore', 'ENOMEM');
    });
    const enough = { pid: 0, categories: PAGE_IS.PRESENT, runsMax: 8, pagesMax: 100 };

    declare('the pagemap is looked through for runs of pages', ({ backend, facts, map }) => {
      const mapping = map(6);
      const { address } = mapping;
      const at = (page: number): bigint => address + BigInt(page * backend.pageSizeBytes);
      for (const [page, count] of [
        [1, 2],
        [4, 1],
      ] as const) {
        const length = count * backend.pageSizeBytes;
        expectValue(backend.touch(mapping, page * backend.pageSizeBytes, length, 'write'));
      }
      const whole = { ...enough, address, pageCount: 6 };
      const found = backend.pagemapScan(whole);
      if (!facts.hasPagemapScan) {
        expect(found).toFailWith('ioctl', 'ENOTTY');
        return;
      }
      const runs = [
        { address: at(1), pageCount: 2, categories: PAGE_IS.PRESENT },
        { address: at(4), pageCount: 1, categories: PAGE_IS.PRESENT },
      ];
      expect(expectValue(found)).toEqual({ runs, walkEnd: at(6) });
      const one = expectValue(backend.pagemapScan({ ...whole, runsMax: 1 }));
      expect(one).toEqual({ runs: runs.slice(0, 1), walkEnd: at(4) });
      const page = expectValue(backend.pagemapScan({ ...whole, pagesMax: 1 }));
      const first = { ...runs[0], pageCount: 1 };
      expect(page).toEqual({ runs: [first], walkEnd: at(2) });
      const untold = { ...whole, runsMax: 0 };
      expect(expectValue(backend.pagemapScan(untold))).toEqual({ runs: [], walkEnd: at(6) });
      const few = expectValue(backend.pagemapScan({ ...untold, pagesMax: 1 }));
      expect(few).toEqual({ runs: [], walkEnd: at(6) });
      const all = expectValue(backend.pagemapScan({ ...whole, pagesMax: 0 }));
      expect(all).toEqual({ runs, walkEnd: at(6) });
      const swapped = backend.pagemapScan({ ...whole, categories: PAGE_IS.SWAPPED });
      expect(expectValue(swapped).runs).toEqual([]);
      expect(backend.pagemapScan({ ...whole, address: address + 1n })).toFailWith(
        'ioctl',
        'EINVAL',
      );
      // Beyond any address space: with five levels of page tables one has 2 ** 56 bytes.
      for (const pageCount of [2 ** 46, 2 ** 52, 2 ** 52 + 1]) {
        expect(backend.pagemapScan({ ...whole, pageCount })).toFailWith('ioctl', 'EFAULT');
      }
    });

    declare('runs of pages are told by their categories', ({ backend, facts, map }) => {
      if (!facts.hasPagemapScan) return;
      const mapping = map(3);
      const { address } = mapping;
      const { pageSizeBytes } = backend;
      expectValue(backend.touch(mapping, 0, pageSizeBytes, 'write'));
      expectValue(backend.touch(mapping, pageSizeBytes, pageSizeBytes, 'read'));
      const { PRESENT, PFNZERO, HUGE } = PAGE_IS;
      const asked = { ...enough, address, pageCount: 3, categories: PRESENT | PFNZERO | HUGE };
      expect(expectValue(backend.pagemapScan(asked)).runs).toEqual([
        { address, pageCount: 1, categories: PRESENT },
        { address: address + BigInt(pageSizeBytes), pageCount: 1, categories: PRESENT | PFNZERO },
      ]);
      const present = expectValue(backend.pagemapScan({ ...asked, categories: PRESENT }));
      expect(present.runs).toEqual([{ address, pageCount: 2, categories: PRESENT }]);
    });
  });
}
