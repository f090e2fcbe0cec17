/** How long mapped memory lives: owners, ArrayBuffers and running calls. */

import { markAsUntransferable } from 'node:worker_threads';
import { describe, expect } from 'vitest';
import type { Backend } from '../../lib/backend/backend.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL_F, MPOL_MF } from '../../lib/core/uapi.ts';
import { expectValue } from '../support/expect-value.ts';
import { backendTestsOf } from './backend-scene.ts';
import type { BackendSubject } from './backend-world.ts';
import { UNWRITTEN } from './pages.ts';

/** Whether anything is mapped there. */
function isMapped(backend: Backend, address: bigint): boolean {
  return backend.getMempolicy({ flags: MPOL_F.ADDR, address, maxnode: 0 }).ok;
}

export function lifetimeContract(subject: BackendSubject): void {
  describe('lifetime', () => {
    const declare = backendTestsOf(subject);

    declare('giving a mapping up unmaps it, twice is once', ({ backend }) => {
      const mapping = expectValue(backend.mmap({ lengthBytes: 1 }));
      expect(isMapped(backend, mapping.address)).toBe(true);
      backend.munmap(mapping);
      expect(isMapped(backend, mapping.address)).toBe(false);
      backend.munmap(mapping);
    });

    declare('giving a mapping up detaches its bytes at once', ({ backend, map }) => {
      const mapping = map(1);
      const buffer = expectValue(backend.arrayBuffer(mapping));
      const bytes = new Uint8Array(buffer);
      backend.munmap(mapping);
      expect(buffer.byteLength).toBe(0);
      expect(bytes.length).toBe(0);
    });

    declare('bytes that nobody can detach show nothing of memory that was given up', (scene) => {
      const mapping = scene.map(1);
      const bytes = new Uint8Array(expectValue(scene.backend.arrayBuffer(mapping))).fill(7);
      markAsUntransferable(bytes.buffer);
      scene.backend.munmap(mapping);
      // Detached all the same on Node 20.
      if (bytes.length > 0) expect(new Set(bytes)).toEqual(new Set([0]));
    });

    declare('what only looks like a mapping, or inherits from one, is none', ({ backend, map }) => {
      const mapping = map(1);
      const { handle, address, lengthBytes } = mapping;
      const forged = [
        { handle, address, lengthBytes },
        Object.create(mapping),
        Object.create(Object.getPrototypeOf(mapping)),
        Object.setPrototypeOf({ handle, address, lengthBytes }, Object.getPrototypeOf(mapping)),
        new Proxy(mapping, {}),
      ];
      const refusal = expect.objectContaining({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
        message: expect.stringMatching(/"mapping" argument must be a mapping of this backend/),
      });
      for (const one of forged) {
        expect(() => backend.munmap(one)).toThrow(refusal);
        expect(() => backend.arrayBuffer(one)).toThrow(refusal);
        expect(() => backend.touch(one, 0, 1, 'read')).toThrow(refusal);
      }
    });

    declare('a second owner shares the memory and keeps it', ({ backend, map }) => {
      const first = map(1);
      const second = expectValue(backend.attach(first.handle));
      expect(second.address).toBe(first.address);
      expect(second.lengthBytes).toBe(first.lengthBytes);
      new Uint8Array(expectValue(backend.arrayBuffer(first)))[0] = 7;
      backend.munmap(first);
      expect(isMapped(backend, second.address)).toBe(true);
      expect(new Uint8Array(expectValue(backend.arrayBuffer(second)))[0]).toBe(7);
      backend.munmap(second);
    });

    declare(
      'a handle can be cloned, and names nothing once the last owner has gone',
      ({ backend }) => {
        const mapping = expectValue(backend.mmap({ lengthBytes: 1 }));
        const handle = structuredClone(mapping.handle);
        const second = expectValue(backend.attach(handle));
        backend.munmap(mapping);
        backend.munmap(second);
        expect(backend.attach(handle)).toMatchObject({ ok: false, errno: ERRNO.ENOENT });
      },
    );

    declare('a stale handle never names a later mapping', ({ backend, map }) => {
      const stale = expectValue(backend.mmap({ lengthBytes: 1 }));
      backend.munmap(stale);
      for (let count = 0; count < 8; count += 1) {
        const later = map(1);
        expect(later.handle).not.toEqual(stale.handle);
        expect(backend.attach(stale.handle)).toMatchObject({ ok: false, errno: ERRNO.ENOENT });
      }
    });

    declare('a running call keeps the memory until it has ended', async ({ backend, machine }) => {
      const node = machine.memoryNodes.at(-1) as number;
      const pageCount = 512;
      const mapping = expectValue(backend.mmap({ lengthBytes: pageCount * backend.pageSizeBytes }));
      expectValue(backend.touch(mapping, 0, mapping.lengthBytes, 'write'));
      const status = new Int32Array(pageCount).fill(UNWRITTEN);
      const running = backend.movePages({
        pid: 0,
        pages: { address: mapping.address, pageCount },
        nodes: node,
        flags: MPOL_MF.MOVE,
        status,
        mapping,
      });
      backend.munmap(mapping);
      expect(await running).toSucceed(0);
      expect(new Set(status)).toEqual(new Set([node]));
    });
  });
}
