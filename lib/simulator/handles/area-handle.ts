/** Memory areas, as a simulated thread makes the calls. */

import type { PageSpan } from '../../backend/backend.ts';
import { ERRNO } from '../../core/errno.ts';
import type { AreaCalls, MemoryArea } from '../../machine/areas.ts';
import type { Caller } from '../caller.ts';
import { memoryAreas, numaMaps } from '../procfs/numa-maps.ts';
import { failure, success } from '../syscalls/answer.ts';
import { madvise } from '../syscalls/madvise.ts';
import { mapDevice } from '../syscalls/mapping-calls.ts';
import { mremap, resizeMapping } from '../syscalls/mremap.ts';
import { addressOf, pageOf } from '../syscalls/range-argument.ts';
import type { Thread } from '../tasks/thread.ts';

export function areaCalls(caller: Caller): AreaCalls {
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
