// Sizes in bytes that copies go by.
#ifndef NODE_NUMA_COPY_PAGE_SIZES_H_
#define NODE_NUMA_COPY_PAGE_SIZES_H_

#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace node_numa {

// Asked for once: loops over pages call these for each.
inline size_t PageBytes() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

/** What one page of page table entries maps: a huge page. */
inline size_t HugePageBytes() {
  return PageBytes() / sizeof(uint64_t) * PageBytes();
}

}  // namespace node_numa

#endif  // NODE_NUMA_COPY_PAGE_SIZES_H_
