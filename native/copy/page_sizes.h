// Sizes of pages, in bytes.
#ifndef NODE_NUMA_COPY_PAGE_SIZES_H_
#define NODE_NUMA_COPY_PAGE_SIZES_H_

#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace node_numa {

inline size_t PageBytes() {
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

/** What one page of page table entries maps: a huge page. */
inline size_t HugePageBytes() {
  return PageBytes() / sizeof(uint64_t) * PageBytes();
}

}  // namespace node_numa

#endif  // NODE_NUMA_COPY_PAGE_SIZES_H_
