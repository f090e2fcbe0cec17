// Private anonymous memory, and what becomes of addresses whose memory is given back: what mmap(2)
// and mremap(2) have in common.
#ifndef NODE_NUMA_SUPPORT_PRIVATE_MEMORY_H_
#define NODE_NUMA_SUPPORT_PRIVATE_MEMORY_H_

#include <cstddef>

#include "address_range.h"
#include "mapping.h"
#include "syscall_result.h"

namespace node_numa {

struct PrivateMemory {
  size_t length_bytes;
  // A power of two; 0 for that of a page.
  size_t alignment_bytes;
  // Whole pages: how far behind a multiple of the alignment it begins.
  size_t phase_bytes;
};

extern const RangeCalls kRangeCalls;

size_t PageBytes();
size_t RoundUp(size_t bytes, size_t unit_bytes);

/** Fresh memory that can be read and written. */
SyscallResult MapPrivate(const PrivateMemory& wanted, MappedMemory* memory);

/** Gives back what is around so many of its bytes, which may be somebody else's now. */
void LeaveHole(MappedMemory* memory, size_t hole_bytes);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_PRIVATE_MEMORY_H_
