#include "stream_copy.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace node_numa {

namespace {

#if defined(__x86_64__)

// Half the instructions of glibc's memcpy, which prefetches what the processor fetches anyhow. A
// block divides every size of a page.
__attribute__((target("avx2"))) void CopyBlocks(void* to, const void* from, size_t bytes) {
  constexpr size_t kVectors = 16;
  __m256i* target = static_cast<__m256i*>(to);
  const __m256i* source = static_cast<const __m256i*>(from);
  const __m256i* const end = source + bytes / sizeof *source;
  for (; source < end; source += kVectors, target += kVectors) {
#pragma GCC unroll 16
    for (size_t index = 0; index < kVectors; ++index) {
      _mm256_stream_si256(target + index, _mm256_load_si256(source + index));
    }
  }
  // Such stores are not in order with others until this.
  _mm_sfence();
}

bool HasVectors() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

#endif

}  // namespace

void StreamCopy(void* to, const void* from, size_t bytes) {
#if defined(__x86_64__)
  if (HasVectors()) {
    CopyBlocks(to, from, bytes);
    return;
  }
#endif
  memcpy(to, from, bytes);
}

}  // namespace node_numa
