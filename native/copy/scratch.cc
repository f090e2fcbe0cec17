#include "scratch.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "page_sizes.h"

namespace node_numa {

// A page without access on each side keeps the kernel from joining the mapping with a neighbour.
// Readable and writable only by mprotect(2), as the memory of mmap.cc: so the kernel sees the same
// kind of memory, and joins what comes to lie side by side.
int Scratch::Map(uintptr_t begin, size_t bytes, size_t shift_bytes, int advice) {
  const size_t outer_bytes = bytes + 2 * HugePageBytes() + shift_bytes;
  void* const outer = mmap(nullptr, outer_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (outer == MAP_FAILED) return errno;
  owned_ = reinterpret_cast<uintptr_t>(outer);
  outer_end_ = owned_ + outer_bytes;
  begin_ = begin;
  const uintptr_t phase = begin % HugePageBytes();
  inner_ =
      (owned_ + PageBytes() + HugePageBytes() - 1 - phase) / HugePageBytes() * HugePageBytes() +
      phase + shift_bytes;
  void* const inner = reinterpret_cast<void*>(inner_);
  if (mprotect(inner, bytes, PROT_READ | PROT_WRITE) != 0) return errno;
  // After mlockall(MCL_FUTURE) it would be locked; memory that is locked is not moved this way.
  munlock(inner, bytes);
  if (advice >= 0 && madvise(inner, bytes, advice) != 0) return errno;
  return 0;
}

void Scratch::DropBefore(uintptr_t address) {
  if (address > owned_) munmap(reinterpret_cast<void*>(owned_), address - owned_);
  owned_ = address;
}

Scratch::~Scratch() {
  if (outer_end_ > owned_) munmap(reinterpret_cast<void*>(owned_), outer_end_ - owned_);
}

}  // namespace node_numa
