/** Memory areas of a simulated process. */

import type { Machine } from '../../lib/simulator/machine.ts';
import { DONE, failure } from '../../lib/simulator/syscalls/answer.ts';
import { madvise } from '../../lib/simulator/syscalls/madvise.ts';
import { mapDevice } from '../../lib/simulator/syscalls/map-device.ts';
import { mprotect } from '../../lib/simulator/syscalls/mapping-calls.ts';
import { mremap, resizeMapping } from '../../lib/simulator/syscalls/mremap.ts';
import { memoryAreas, numaMaps } from '../../lib/simulator/syscalls/numa-maps.ts';
import { addressOf, pageOf } from '../../lib/simulator/syscalls/range-argument.ts';
import type { Thread } from '../../lib/simulator/tasks/thread.ts';
import type { AreaCalls } from '../contract/world.ts';

export function simulatedAreas(machine: Machine, own: () => Thread): AreaCalls {
  const size = machine.memory.pageSizeBytes;
  return {
    madvise: async (address, pageCount, advice) => madvise(own(), { address, pageCount, advice }),
    mremap: async (address, pageCount, to) => mremap(own(), { address, pageCount, to }),
    resize: async (address, pageCount, newPageCount) =>
      resizeMapping(own(), { address, pageCount, newPageCount }),
    allowHugePages: async () => {
      own().process.space.isWithoutHugePages = false;
      return DONE;
    },
    list: async (address, pageCount) => {
      const start = pageOf(address, size);
      const areas = memoryAreas(own().process.mainThread, start, start + pageCount);
      return areas.map(({ start: first, ...area }) => ({
        address: addressOf(first, size),
        ...area,
      }));
    },
    shatter: async (address, pageCount) => {
      for (let page = 1; page < pageCount; page += 2) {
        const at = address + BigInt(page * size);
        const result = mprotect(own(), { address: at, pageCount: 1, access: 'read' });
        if (!result.ok) return failure('shatter', result.errno);
      }
      return DONE;
    },
    special: async (name) => {
      const found = own().process.space.program?.[name];
      if (found === undefined) return null;
      return { address: addressOf(found.start, size), pageCount: found.pageCount };
    },
    mapDevice: async (pageCount, address = 0n) => mapDevice(machine, own(), { address, pageCount }),
    numaMaps: async (folder) => numaMaps(folder === 'self' ? own().process.mainThread : own()),
  };
}
