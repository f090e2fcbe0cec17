/** What an errno means for the calls that map memory of one kind or another. */

import { ERRNO } from '../../core/errno.ts';
import type { Explanation } from '../../core/errors.ts';

const NO_SUCH_POOL: Explanation = {
  code: 'NUMA_UNSUPPORTED',
  argument: 'options.hugePages',
  rule: 'this kernel has no huge pages of that size',
  hint: 'name a size that numa.nodeStatistics() tells of a node',
};

const TOO_MANY_FILES: Explanation = {
  code: 'NUMA_SYSTEM_ERROR',
  rule: 'this process has as many files open as it may',
  hint: 'release buffers, close files, or raise the limit (ulimit -n)',
};

const NO_MEMORY_OF_A_FILE: Explanation = {
  code: 'NUMA_INVALID_ARGUMENT',
  rule: 'only regular files and shared memory can be mapped: no folder, socket, pipe or device',
  hint: "name a file, or the descriptor of another process's buffer",
};

const NO_PAGE: Explanation = {
  code: 'NUMA_OUT_OF_MEMORY',
  rule: 'a page cannot be had: its pool or file system has no room, or its file ended before it',
  hint: 'set more huge pages aside, or free room; residency() tells which pages are there',
};

const NO_PATH: Explanation = {
  code: 'NUMA_INVALID_ARGUMENT',
  argument: 'path',
  rule: 'a path of the system is no longer than 4095 bytes, and its links lead somewhere',
  hint: 'name a regular file',
};

export const OF_KINDS: Readonly<Record<string, Explanation>> = {
  [`mmap ${ERRNO.EINVAL}`]: NO_SUCH_POOL,
  [`memfd_create ${ERRNO.ENODEV}`]: NO_SUCH_POOL,
  [`memfd_create ${ERRNO.EMFILE}`]: TOO_MANY_FILES,
  [`fcntl ${ERRNO.EMFILE}`]: TOO_MANY_FILES,
  [`mmap ${ERRNO.ENOMEM}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'there is no room: of addresses, of mappings, of what may be committed, or in the pool',
    hint: 'map less, raise vm.max_map_count or RLIMIT_AS, or set more huge pages aside',
  },
  [`mmap ${ERRNO.EAGAIN}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'all memory of this process is locked, and RLIMIT_MEMLOCK is reached',
    hint: 'raise the limit (ulimit -l), or do without mlockall()',
  },
  [`mmap ${ERRNO.ENODEV}`]: NO_MEMORY_OF_A_FILE,
  // Of files that the kernel makes up (/proc).
  [`mmap ${ERRNO.EIO}`]: NO_MEMORY_OF_A_FILE,
  [`mmap ${ERRNO.EBADF}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: 'the descriptor names a file, and has not opened it (O_PATH)',
    hint: 'open the file for reading, and for writing to share it',
  },
  [`mmap ${ERRNO.EPERM}`]: {
    code: 'NUMA_NOT_PERMITTED',
    rule: 'the memory is sealed against writing, or the file is mounted or marked so',
    hint: "map it with visibility 'private'",
  },
  [`ftruncate ${ERRNO.EFBIG}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'shared memory is a file, and RLIMIT_FSIZE or the longest file is shorter',
    hint: 'raise the limit (ulimit -f), or allocate less',
  },
  [`mmap ${ERRNO.EACCES}`]: {
    code: 'NUMA_NOT_PERMITTED',
    rule: 'the file is not open for reading, or not for writing, as shared memory has to be',
    hint: "open it for both, or map it with visibility 'private'",
  },
  [`fstat ${ERRNO.EBADF}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    rule: 'this process has no such descriptor open',
    hint: 'in a child, the place in stdio is the number; on the simulator, one of its machine',
  },
  [`openat ${ERRNO.ENOENT}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    argument: 'path',
    rule: 'there is no such file',
    hint: 'make it first, as long as it is to be: mapping never changes its length',
  },
  [`openat ${ERRNO.ENOTDIR}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    argument: 'path',
    rule: 'a part of the path is no folder',
    hint: 'name a regular file',
  },
  [`openat ${ERRNO.EISDIR}`]: {
    code: 'NUMA_INVALID_ARGUMENT',
    argument: 'path',
    rule: 'this is a folder',
    hint: 'name a regular file',
  },
  [`openat ${ERRNO.EACCES}`]: {
    code: 'NUMA_NOT_PERMITTED',
    argument: 'path',
    rule: 'this user may not open the file so',
    hint: "map it with protection 'read', or change its mode",
  },
  [`openat ${ERRNO.EROFS}`]: {
    code: 'NUMA_NOT_PERMITTED',
    argument: 'path',
    rule: 'the file system is mounted read-only',
    hint: "map it with protection 'read'",
  },
  [`openat ${ERRNO.ETXTBSY}`]: {
    code: 'NUMA_NOT_PERMITTED',
    argument: 'path',
    rule: 'the file is a program that runs, or in use by the kernel',
    hint: "map it with protection 'read'",
  },
  [`openat ${ERRNO.EPERM}`]: {
    code: 'NUMA_NOT_PERMITTED',
    argument: 'path',
    rule: 'the system forbids to open the file so, whoever asks',
    hint: "map it with protection 'read', or name a regular file",
  },
  [`openat ${ERRNO.ELOOP}`]: NO_PATH,
  [`openat ${ERRNO.ENAMETOOLONG}`]: NO_PATH,
  // Of the path of a socket.
  [`openat ${ERRNO.ENXIO}`]: { ...NO_MEMORY_OF_A_FILE, argument: 'path' },
  [`openat ${ERRNO.EMFILE}`]: TOO_MANY_FILES,
  [`open ${ERRNO.EMFILE}`]: TOO_MANY_FILES,
  [`mremap ${ERRNO.EBUSY}`]: {
    code: 'NUMA_MEMORY_IN_USE',
    rule: 'others use the addresses: another owner, a verb under way, or whoever took the bytes',
    hint: 'resize() when they are done: wait for the verb, release() what was attached',
  },
  [`mremap ${ERRNO.EINVAL}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'only private memory outside of pools can have another length',
    hint: 'allocate another buffer and copy; of a file that has grown, map it again',
  },
  [`mremap ${ERRNO.EFAULT}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'it is in several mappings, which changed meanwhile: kernels move one at once',
    hint: 'resize() when nobody sets policies or advice of parts of it',
  },
  [`mremap ${ERRNO.ENOMEM}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'there is no room: of addresses, of mappings, or of what may be committed',
    hint: 'ask for less, or raise vm.max_map_count or RLIMIT_AS; the old length is still there',
  },
  [`mremap ${ERRNO.EAGAIN}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'the memory is locked, and RLIMIT_MEMLOCK is reached',
    hint: 'raise the limit (ulimit -l), or unlock it before',
  },
  [`msync ${ERRNO.EIO}`]: {
    code: 'NUMA_SYSTEM_ERROR',
    rule: 'the device could not be written',
    hint: "look at the kernel's log; the file may have a part of what was changed",
  },
  [`madvise ${ERRNO.EINVAL}`]: {
    code: 'NUMA_UNSUPPORTED',
    rule: 'this kernel was built without it, is older than it, or has it not for such memory',
    hint: 'leave it out; touch() of a buffer works on any kernel; read what may only be read',
  },
  [`madvise ${ERRNO.EFAULT}`]: NO_PAGE,
  [`touch ${ERRNO.EFAULT}`]: NO_PAGE,
  [`madvise ${ERRNO.ENOMEM}`]: {
    code: 'NUMA_OUT_OF_MEMORY',
    rule: 'no node that the policy allows has memory left',
    hint: 'free memory, choose another node, or prefer one in place of binding to it',
  },
};
