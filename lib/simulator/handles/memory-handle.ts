/** Mappings, accesses and words of memory, as a simulated thread makes the calls. */

import { ERRNO } from '../../core/errno.ts';
import type { MemoryCalls } from '../../machine/memory.ts';
import type { Caller } from '../caller.ts';
import { answer, failure, success } from '../syscalls/answer.ts';
import { keepTouching } from '../syscalls/keep-touching.ts';
import { mlock, mmap, mprotect, munlock, munmap } from '../syscalls/mapping-calls.ts';
import { touch } from '../syscalls/touch.ts';
import { readWord, writeWord } from '../syscalls/user-memory.ts';

export function memoryCalls(caller: Caller): MemoryCalls {
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
