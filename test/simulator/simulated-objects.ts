/** Objects behind the memory of a simulated process. */

import { ERRNO } from '../../lib/core/errno.ts';
import type { Machine } from '../../lib/simulator/machine.ts';
import type { MemoryObject as Simulated } from '../../lib/simulator/memory/memory-object.ts';
import { DONE, failure, success } from '../../lib/simulator/syscalls/answer.ts';
import {
  attachSegment,
  createSegment,
  mapObject,
  openObject,
  writeObject,
} from '../../lib/simulator/syscalls/object-calls.ts';
import type { Thread } from '../../lib/simulator/tasks/thread.ts';
import type { MemoryObject, ObjectCalls, ObjectKind } from '../contract/world.ts';

type FileKind = Exclude<ObjectKind, 'sysv'>;

/** What opening each kind gives: its type, and its name in numa_maps. */
const FILES: Readonly<Record<FileKind, (name: string) => Pick<Simulated, 'type' | 'path'>>> = {
  memfd: (name) => ({ type: 'shared-memory', path: `/memfd:${name} (deleted)` }),
  hugetlb: () => ({ type: 'hugetlb', path: '/memfd:puppet (deleted)' }),
  tmpfs: () => ({ type: 'shared-memory', path: '/object' }),
  ramfs: () => ({ type: 'file', path: '/object' }),
  disk: () => ({ type: 'disk', path: '/var/tmp/#1 (deleted)' }),
  secret: () => ({ type: 'secret', path: '/secretmem (deleted)' }),
};

export function simulatedObjects(machine: Machine, own: () => Thread): ObjectCalls {
  const objectOf = ({ id }: MemoryObject): Simulated | undefined => own().process.objects.get(id);
  return {
    create: async (kind, pageCount, name = 'puppet') => {
      if (kind === 'sysv') {
        const made = createSegment(machine, pageCount);
        if (!made.ok) return made;
        const { inode } = made.value;
        return success({ kind, id: inode, inode: BigInt(inode) });
      }
      const made = openObject(machine, own(), { ...FILES[kind](name), sizePages: pageCount });
      if (!made.ok) return made;
      const { object, descriptor } = made.value;
      return success({ kind, id: descriptor, inode: BigInt(object.inode) });
    },
    map: async (named, { address = 0n, pageCount, shared = false, firstPage = 0 }) => {
      if (named.kind === 'sysv') return attachSegment(machine, own(), named.id);
      const object = objectOf(named);
      if (object === undefined) return failure('map_object', ERRNO.EINVAL);
      const place = { address, pageCount, offset: firstPage };
      return mapObject(machine, own(), { ...place, object, isShared: shared, access: 'write' });
    },
    write: async (named, firstPage, pageCount) => {
      const object = objectOf(named);
      if (object === undefined) return failure('write_object', ERRNO.EINVAL);
      const written = writeObject(own(), { object, firstPage, pageCount });
      return written.ok ? DONE : failure('write_object', written.errno);
    },
  };
}
