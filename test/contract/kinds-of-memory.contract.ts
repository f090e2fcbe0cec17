/** Kinds of memory as a backend has them: aligned, of a pool, with a descriptor, of a file. */

import { describe, expect } from 'vitest';
import type { Mapping, MappingRequest } from '../../lib/backend/mapping.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { MADV, PM_PRESENT } from '../../lib/core/uapi.ts';
import { expectValue } from '../support/expect-value.ts';
import { type BackendScene, backendTestsOf, residencyOf } from './backend-scene.ts';
import type { BackendSubject } from './backend-world.ts';

const hugePageBytes = (pageSizeBytes: number): number => (pageSizeBytes * pageSizeBytes) / 8;

/** Runs with a mapping that is given up behind it. */
async function withMapping(
  { backend }: BackendScene,
  request: MappingRequest,
  body: (mapping: Mapping) => unknown,
): Promise<void> {
  const mapping = expectValue(backend.mmap(request));
  try {
    await body(mapping);
  } finally {
    backend.munmap(mapping);
  }
}

function presentPages({ backend }: BackendScene, { address }: Mapping, pageCount: number): number {
  const entries = expectValue(backend.pagemap({ address, pageCount }));
  return [...entries].filter((entry) => (entry & PM_PRESENT) !== 0n).length;
}

const bytesOf = ({ backend }: BackendScene, mapping: Mapping): Uint8Array =>
  new Uint8Array(expectValue(backend.arrayBuffer(mapping)));

export function kindsOfMemoryContract(subject: BackendSubject): void {
  describe('kinds of memory', () => {
    const declare = backendTestsOf(subject);

    declare('an alignment is kept', async (scene) => {
      const alignmentBytes = hugePageBytes(scene.backend.pageSizeBytes);
      await withMapping(scene, { lengthBytes: alignmentBytes, alignmentBytes }, (mapping) => {
        expect(mapping.address % BigInt(alignmentBytes)).toBe(0n);
        expect(mapping.descriptor).toBeNull();
        expect(scene.backend.fstat(mapping)).toFailWith('fstat', 'EBADF');
      });
    });

    declare('an empty pool has no page, and a size that no pool has is refused', ({ backend }) => {
      const unit = hugePageBytes(backend.pageSizeBytes);
      const some = { lengthBytes: 2 ** 10 * unit, hugePageBytes: unit };
      expect(backend.mmap(some)).toFailWith('mmap', 'ENOMEM');
      expect(backend.mmap({ ...some, isShared: true })).toFailWith('mmap', 'ENOMEM');
      const odd = { lengthBytes: 1, hugePageBytes: 2 * backend.pageSizeBytes };
      expect(backend.mmap(odd)).toFailWith('mmap', 'EINVAL');
      expect(backend.mmap({ ...odd, isShared: true })).toFailWith('memfd_create', 'ENODEV');
    });

    declare('shared memory has a descriptor, and what maps that has its pages', async (scene) => {
      const { backend, machine } = scene;
      const lengthBytes = 3 * backend.pageSizeBytes - 1;
      await withMapping(scene, { lengthBytes, isShared: true }, async (mapping) => {
        const descriptor = mapping.descriptor as number;
        expect(backend.fstat(mapping)).toSucceed();
        const state = expectValue(backend.fstat(mapping));
        expect(state).toEqual({ sizeBytes: lengthBytes, isTruncated: false });
        bytesOf(scene, mapping).fill(5);
        expect(backend.touch(mapping, 0, lengthBytes, 'write')).toSucceed();
        const second = { lengthBytes, isShared: true, descriptor };
        await withMapping(scene, second, (other) => {
          expect(other.descriptor).not.toBe(descriptor);
          expect(bytesOf(scene, other).every((byte) => byte === 5)).toBe(true);
          expect(backend.touch(other, 0, lengthBytes, 'read')).toSucceed();
          const whole = { ...other, lengthBytes: 3 * backend.pageSizeBytes };
          const nodes = residencyOf(backend, whole);
          expect(nodes.every((node) => machine.memoryNodes.includes(node))).toBe(true);
          expect(residencyOf(backend, { ...whole, address: mapping.address })).toEqual(nodes);
        });
      });
    });

    declare('shared memory lives as long as one mapping of its descriptor', async (scene) => {
      const { backend } = scene;
      const lengthBytes = backend.pageSizeBytes;
      const first = expectValue(backend.mmap({ lengthBytes, isShared: true }));
      const descriptor = first.descriptor as number;
      await withMapping(scene, { lengthBytes, isShared: true, descriptor }, (second) => {
        bytesOf(scene, first).fill(9);
        backend.munmap(first);
        expect(backend.fstat(first)).toFailWith('fstat', 'ENOENT');
        expect(bytesOf(scene, second).every((byte) => byte === 9)).toBe(true);
      });
    });

    declare('what is no descriptor, or begins inside a page, cannot be mapped', async (scene) => {
      const { backend } = scene;
      const lengthBytes = 2 * backend.pageSizeBytes;
      expect(backend.mmap({ lengthBytes, descriptor: 2 ** 20 })).toFailWith('fstat', 'EBADF');
      await withMapping(scene, { lengthBytes, isShared: true }, (mapping) => {
        const descriptor = mapping.descriptor as number;
        const inside = { lengthBytes: 1, isShared: true, descriptor, offsetBytes: 1 };
        expect(backend.mmap(inside)).toFailWith('mmap', 'EINVAL');
        const none = { lengthBytes: 0, isShared: true, descriptor };
        expect(backend.mmap(none)).toFailWith('mmap', 'EINVAL');
      });
      expect(backend.mmap({ lengthBytes: 0, isShared: true })).toFailWith('mmap', 'EINVAL');
    });

    declare('advice faults pages in, on this thread or another', async (scene) => {
      const { backend, machine, map } = scene;
      const mapping = map(4);
      const { pageSizeBytes } = backend;
      const part = { mapping, offsetBytes: pageSizeBytes + 1, lengthBytes: 1 };
      expect(backend.madviseSync({ ...part, advice: MADV.POPULATE_WRITE })).toSucceed();
      expect(presentPages(scene, mapping, 4)).toBe(1);
      const all = { mapping, offsetBytes: 0, lengthBytes: mapping.lengthBytes };
      const cpus = expectValue(backend.schedGetaffinity()).slice(0, 1);
      expect(await backend.madvise({ ...all, advice: MADV.POPULATE_WRITE }, cpus)).toSucceed();
      const nodes = residencyOf(backend, mapping);
      expect(nodes.every((node) => machine.memoryNodes.includes(node))).toBe(true);
      expect(expectValue(backend.schedGetaffinity()).length).toBeGreaterThanOrEqual(cpus.length);
    });

    declare(
      'advice that could change a byte is refused, and so is what lies outside',
      async ({ backend, map }) => {
        const mapping = map(2);
        const all = { mapping, offsetBytes: 0, lengthBytes: mapping.lengthBytes };
        for (const advice of [MADV.DONTNEED, MADV.REMOVE, MADV.GUARD_INSTALL, -1]) {
          expect(backend.madviseSync({ ...all, advice })).toFailWith('madvise', 'EINVAL');
        }
        const advice = MADV.POPULATE_WRITE;
        const behind = { ...all, offsetBytes: 1, advice };
        expect(backend.madviseSync(behind)).toMatchObject({ ok: false, errno: ERRNO.ERANGE });
        expect(await backend.madvise(behind, [])).toMatchObject({ ok: false, errno: ERRNO.ERANGE });
        backend.munmap(mapping);
        expect(backend.madviseSync({ ...all, advice })).toFailWith('madvise', 'ENOENT');
        expect(await backend.msync(all)).toFailWith('msync', 'ENOENT');
      },
    );

    declare('what was written to shared memory can be synchronised', async (scene) => {
      const lengthBytes = scene.backend.pageSizeBytes;
      await withMapping(scene, { lengthBytes, isShared: true }, async (mapping) => {
        const part = { mapping, offsetBytes: 0, lengthBytes };
        expect(await scene.backend.msync(part)).toSucceed();
      });
    });
  });
}
