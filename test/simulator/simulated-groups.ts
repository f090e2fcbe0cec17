/** Objects, areas, rings and threads of a simulated process, as the contract asks for them. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { SimulatedProcess, SimulatedThread } from '../../lib/simulator/public.ts';
import { MPOL_MF } from '../../lib/syscalls/public.ts';
import type {
  AreaCalls,
  ObjectCalls,
  PointerCalls,
  RingCalls,
  StateCalls,
  ThreadCalls,
  WorldProcess,
} from '../contract/world.ts';

const DONE: SyscallResult<undefined> = { ok: true, value: undefined };

/** The value of a call that nothing can refuse. */
export function expectValue<T>(result: SyscallResult<T>): T {
  if (!result.ok) throw new Error(`${result.syscall}: errno ${result.errno}`);
  return result.value;
}

export function objectCalls({ objects }: SimulatedThread): ObjectCalls {
  return {
    create: async (kind, pageCount, name = 'puppet') => {
      const made = objects.create(kind, pageCount, name);
      return made.ok
        ? { ok: true, value: { ...made.value, inode: BigInt(made.value.inode) } }
        : made;
    },
    map: async (object, { shared = false, ...request }) =>
      objects.map({ ...object, inode: Number(object.inode) }, { ...request, isShared: shared }),
    write: async (object, firstPage, pageCount) =>
      objects.write({ ...object, inode: Number(object.inode) }, { firstPage, pageCount }),
  };
}

export function areaCalls(process: SimulatedProcess, thread: SimulatedThread): AreaCalls {
  const { areas, memory, backend } = thread;
  return {
    madvise: async (address, pageCount, advice) => areas.madvise({ address, pageCount }, advice),
    mremap: async (address, pageCount, to) => areas.mremap({ address, pageCount }, to),
    resize: async (address, pageCount, newPageCount) =>
      areas.resize({ address, pageCount }, newPageCount),
    allowHugePages: async () => {
      process.allowsHugePages = true;
      return DONE;
    },
    list: async (address, pageCount) => expectValue(areas.list({ address, pageCount })),
    shatter: async (address, pageCount) => {
      for (let page = 1; page < pageCount; page += 2) {
        const at = address + BigInt(page * backend.pageSizeBytes);
        const result = memory.mprotect({ address: at, pageCount: 1 }, 'read');
        if (!result.ok) return { ...result, syscall: 'shatter' };
      }
      return DONE;
    },
    special: async (name) => {
      const found = areas.special(name);
      return found.ok ? found.value : null;
    },
    mapDevice: async (pageCount, address = 0n) => areas.mapDevice({ address, pageCount }),
    numaMaps: async (folder) => expectValue(areas.numaMaps(folder)),
  };
}

export function ringCalls({ references: rings }: SimulatedThread): RingCalls {
  return {
    register: async (address, pageCount) => rings.registerBuffer({ address, pageCount }),
    unregister: async (ring) => rings.unregisterBuffer(ring),
    registerPackets: async (address, pageCount) => rings.registerPackets({ address, pageCount }),
    packetRing: async (blockPages, blockCount) => rings.packetRing({ blockPages, blockCount }),
  };
}

export function pointerCalls({ numa: calls }: SimulatedThread): PointerCalls {
  return {
    getMempolicy: async (request) => calls.getMempolicy(request),
    movePages: async (request) => calls.movePages({ flags: MPOL_MF.MOVE, ...request, pid: 0 }),
  };
}

export function threadCalls(
  thread: SimulatedThread,
  open: (thread: SimulatedThread) => WorldProcess,
): ThreadCalls {
  return {
    create: async () => open(thread.thread()),
    exec: async () => thread.exec(),
    affinity: async () => thread.backend.schedGetaffinity(),
  };
}

export function stateCalls(process: SimulatedProcess, thread: SimulatedThread): StateCalls {
  return {
    endedChild: async () => thread.forkEnded(),
    unshareUser: async () => process.unshareUser(),
    dropCapability: async (name) => process.dropCapability(name),
  };
}
