/** What a simulated thread calls beside its backend, with its arguments checked. */

import type { PageSpan } from '../../backend/backend.ts';
import { ERRNO } from '../../core/errno.ts';
import type { AreaCalls, MemoryArea } from '../../machine/areas.ts';
import type { MemoryCalls } from '../../machine/memory.ts';
import type { MachineObject, ObjectCalls, ObjectKind } from '../../machine/objects.ts';
import type { ReferenceCalls } from '../../machine/references.ts';
import type { Caller } from '../caller.ts';
import type { SimulatedCalls } from '../interface/simulated-process.ts';
import type { ObjectAttributes } from '../memory/memory-object.ts';
import { memoryAreas, numaMaps } from '../procfs/numa-maps.ts';
import { answer, failure, success } from '../syscalls/answer.ts';
import { madvise } from '../syscalls/madvise.ts';
import { mapDevice, mlock, mmap, mprotect, munlock, munmap } from '../syscalls/mapping-calls.ts';
import { mremap, resizeMapping } from '../syscalls/mremap.ts';
import {
  attachSegment,
  createSegment,
  mapObject,
  openObject,
  writeObject,
} from '../syscalls/object-calls.ts';
import {
  mapPacketRing,
  pinPages,
  registerBuffer,
  registerPackets,
  unpinPages,
  unregisterBuffer,
} from '../syscalls/pin-pages.ts';
import { addressOf, pageOf } from '../syscalls/range-argument.ts';
import { keepTouching, touch } from '../syscalls/touch.ts';
import { readWord, writeWord } from '../syscalls/user-memory.ts';
import type { Thread } from '../tasks/thread.ts';
import { CALL_CHECKS, checked } from './call-checks.ts';
import { numaCallsOf } from './numa-handle.ts';
import { steppedCalls } from './stepped-handle.ts';

function memoryCalls(caller: Caller): MemoryCalls {
  const { machine } = caller;
  return {
    mmap: ({ address = 0n, pageCount, isShared = false }) => {
      const request = { address, pageCount, isShared, object: null, offset: 0 };
      return caller.call('mmap', (own) => mmap(machine, own, { ...request, access: 'write' }));
    },
    munmap: (span) => caller.call('munmap', (own) => munmap(own, span)),
    mprotect: (span, access) =>
      caller.call('mprotect', (own) => mprotect(own, { ...span, access })),
    mlock: (span) => caller.call('mlock', (own) => mlock(own, span)),
    munlock: (span) => caller.call('munlock', (own) => munlock(own, span)),
    touch: (span, access) =>
      caller.call('touch', (own) => touch(machine, own, { ...span, access })),
    keepTouching: (span, access, milliseconds) =>
      caller.call('keep_touching', (own) =>
        keepTouching(machine, own, { ...span, access, milliseconds }),
      ),
    store: (address, value) =>
      caller.call('store', (own) =>
        answer('store', writeWord(own, address, value) ? 0 : ERRNO.EFAULT),
      ),
    load: (address) =>
      caller.call('load', (own) => {
        const value = readWord(own, address);
        return value === undefined ? failure('load', ERRNO.EFAULT) : success(value);
      }),
  };
}

function areaCalls(caller: Caller): AreaCalls {
  return {
    madvise: (span, advice) => caller.call('madvise', (own) => madvise(own, { ...span, advice })),
    mremap: (span, to) => caller.call('mremap', (own) => mremap(own, { ...span, to })),
    resize: (span, newPageCount) =>
      caller.call('mremap', (own) => resizeMapping(own, { ...span, newPageCount })),
    list: (span) => caller.call('open', (own) => success(areasOf(own, span))),
    numaMaps: (folder = 'thread-self') =>
      caller.call('open', (own) =>
        success(numaMaps(folder === 'self' ? own.process.mainThread : own)),
      ),
    special: (name) =>
      caller.call('open', ({ mm: { program, memory } }) => {
        const found = program?.[name];
        if (found === undefined) return failure('open', ERRNO.ENOENT);
        const address = addressOf(found.start, memory.pageSizeBytes);
        return success({ address, pageCount: found.pageCount });
      }),
    mapDevice: ({ address = 0n, pageCount }) =>
      caller.call('mmap', (own) => mapDevice(caller.machine, own, { address, pageCount })),
  };
}

/** The leader's policy counts where an area has none. */
function areasOf({ process, mm }: Thread, { address, pageCount }: PageSpan): MemoryArea[] {
  const { pageSizeBytes } = mm.memory;
  const start = pageOf(address, pageSizeBytes);
  const areas = memoryAreas(process.mainThread, start, start + pageCount);
  return areas.map(({ start: first, ...area }) => ({
    address: addressOf(first, pageSizeBytes),
    ...area,
  }));
}

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

function objectCalls(caller: Caller): ObjectCalls {
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

function referenceCalls(caller: Caller): ReferenceCalls {
  const { machine } = caller;
  return {
    splice: (span) => caller.call('pin', (own) => pinPages(own, { ...span, kind: 'reference' })),
    registerBuffer: (span) => caller.call('register_buffer', (own) => registerBuffer(own, span)),
    unregisterBuffer: (ring) =>
      caller.call('unregister_buffer', (own) => unregisterBuffer(own, ring)),
    registerPackets: (span) => caller.call('register_packets', (own) => registerPackets(own, span)),
    packetRing: (ring) => caller.call('packet_ring', (own) => mapPacketRing(machine, own, ring)),
    close: (descriptor) => caller.call('unpin', (own) => unpinPages(own, descriptor)),
  };
}

/** What a thread calls, beside its backend. */
export function callsOf(caller: Caller): SimulatedCalls {
  return {
    memory: checked(memoryCalls(caller), CALL_CHECKS.memory),
    areas: checked(areaCalls(caller), CALL_CHECKS.areas),
    objects: checked(objectCalls(caller), CALL_CHECKS.objects),
    references: checked(referenceCalls(caller), CALL_CHECKS.references),
    numa: checked(numaCallsOf(caller), CALL_CHECKS.numa),
    steps: checked(steppedCalls(caller), CALL_CHECKS.steps),
  };
}
