/**
 * What keeps pages where they are, and pages that belong to a driver. All values but addresses are
 * descriptors: children inherit them, and pages are let go of with the last. Errnos as in
 * memory.ts.
 */

import type { PageSpan } from '../backend/backend.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';

export interface ReferenceCalls {
  /** A pipe's references to pages, which are read first. ENOBUFS: only the first of them could be
   *  had. EFAULT: none. Source: vmsplice(2). */
  splice(span: PageSpan): SyscallResult<number>;
  /** A long-term pin of a registered buffer. EFAULT: memory that cannot be pinned. EOPNOTSUPP: a
   *  file's, where the kernel refuses them. Source: io_uring_register(2). */
  registerBuffer(span: PageSpan): SyscallResult<number>;
  /** Lets go of the pages, whoever else has the ring. ENXIO: it has no buffer. EINVAL: it is none.
   *  Source: io_uring_register(2), IORING_UNREGISTER_BUFFERS. */
  unregisterBuffer(ring: number): SyscallResult<undefined>;
  /** A long-term pin by an XDP socket, until the process ends. EFAULT. Source: XDP_UMEM_REG. */
  registerPackets(span: PageSpan): SyscallResult<undefined>;
  /** Maps a ring of received packets, blocks of pages of the driver; the value is the address.
   *  EINVAL: no page. ENOMEM. Source: packet(7), PACKET_RX_RING. */
  packetRing(ring: {
    readonly blockPages: number;
    readonly blockCount: number;
  }): SyscallResult<bigint>;
  /** Ends what a descriptor holds. EINVAL: it holds nothing. Source: close(2). */
  close(descriptor: number): SyscallResult<undefined>;
}
