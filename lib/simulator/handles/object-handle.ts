/** Objects behind memory, as a simulated thread makes the calls. */

import { ERRNO } from '../../core/errno.ts';
import type { MachineObject, ObjectCalls, ObjectKind } from '../../machine/objects.ts';
import type { Caller } from '../caller.ts';
import type { ObjectAttributes } from '../memory/memory-object.ts';
import { failure, success } from '../syscalls/answer.ts';
import {
  attachSegment,
  createSegment,
  mapObject,
  openObject,
  writeObject,
} from '../syscalls/object-calls.ts';

type FileKind = Exclude<ObjectKind, 'sysv'>;

/** What opening each kind gives: its type, and its name in numa_maps. */
const FILES: Readonly<Record<FileKind, (name: string) => Pick<ObjectAttributes, 'type' | 'path'>>> =
  {
    memfd: (name) => ({ type: 'shared-memory', path: `/memfd:${name} (deleted)` }),
    hugetlb: (name) => ({ type: 'hugetlb', path: `/memfd:${name} (deleted)` }),
    tmpfs: () => ({ type: 'shared-memory', path: '/object' }),
    ramfs: () => ({ type: 'file', path: '/object' }),
    disk: () => ({ type: 'disk', path: '/var/tmp/#1 (deleted)' }),
    secret: () => ({ type: 'secret', path: '/secretmem (deleted)' }),
  };

export function objectCalls(caller: Caller): ObjectCalls {
  const { machine, process } = caller;
  return {
    create: (kind, pageCount, name = 'object') =>
      caller.call<MachineObject>('create_object', (own) => {
        if (kind === 'sysv') {
          const made = createSegment(machine, pageCount);
          return made.ok ? success({ kind, id: made.value.inode, inode: made.value.inode }) : made;
        }
        const made = openObject(machine, own, { ...FILES[kind](name), sizePages: pageCount });
        if (!made.ok) return made;
        const { object, descriptor } = made.value;
        return success({ kind, id: descriptor, inode: object.inode });
      }),
    map: ({ kind, id }, { address = 0n, pageCount, isShared = false, firstPage: offset = 0 }) =>
      caller.call('map_object', (own) => {
        if (kind === 'sysv') return attachSegment(machine, own, id);
        const object = process.objects.get(id);
        if (object === undefined) return failure('map_object', ERRNO.EINVAL);
        const place = { address, pageCount, offset, access: 'write' } as const;
        return mapObject(machine, own, { ...place, object, isShared });
      }),
    write: ({ id }, pages) =>
      caller.call('write_object', (own) => {
        const object = process.objects.get(id);
        if (object === undefined) return failure('write_object', ERRNO.EINVAL);
        const written = writeObject(own, { object, ...pages });
        return written.ok ? written : failure('write_object', written.errno);
      }),
  };
}
