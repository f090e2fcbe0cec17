// Page faults by a call, which has an errno where an access would end the process: for a page that
// a pool, a file or a file system cannot give, or memory without the right to it. No byte changes.
#ifndef NODE_NUMA_SUPPORT_POPULATE_H_
#define NODE_NUMA_SUPPORT_POPULATE_H_

namespace node_numa {

// Source: include/uapi/asm-generic/mman-common.h of Linux 5.14; libraries may have older headers.
constexpr int kPopulateRead = 22;
constexpr int kPopulateWrite = 23;

constexpr int PopulateAdvice(bool is_write) {
  return is_write ? kPopulateWrite : kPopulateRead;
}

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_POPULATE_H_
