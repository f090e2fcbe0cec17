// Sets of CPUs as the scheduler's calls take them.
#ifndef NODE_NUMA_SUPPORT_CPU_MASK_H_
#define NODE_NUMA_SUPPORT_CPU_MASK_H_

#include <node_api.h>
#include <sched.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arguments.h"

namespace node_numa {

class CpuMask {
 public:
  // Far above the largest kernel build (8192 CPUs). A higher number names no CPU anywhere, and is
  // left out of the mask as the kernel leaves out those above its own limit.
  static constexpr uint32_t kCpuCountMax = 65536;

  CpuMask() : words_(kCpuCountMax / kBitsPerWord) {}

  void Add(uint32_t cpu) { words_[cpu / kBitsPerWord] |= 1UL << (cpu % kBitsPerWord); }
  bool Has(uint32_t cpu) const { return words_[cpu / kBitsPerWord] >> (cpu % kBitsPerWord) & 1; }

  size_t bytes() const { return words_.size() * sizeof(unsigned long); }
  cpu_set_t* set() { return reinterpret_cast<cpu_set_t*>(words_.data()); }

 private:
  static constexpr size_t kBitsPerWord = 8 * sizeof(unsigned long);

  /** Bit n of word n / kBitsPerWord for CPU n. */
  std::vector<unsigned long> words_;
};

/** The next argument, an array of CPU numbers. */
CpuMask DecodeCpus(Arguments* arguments, napi_env env);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_CPU_MASK_H_
