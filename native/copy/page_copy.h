// Moves pages of private anonymous memory by copies on the target node that take their place.
#ifndef NODE_NUMA_COPY_PAGE_COPY_H_
#define NODE_NUMA_COPY_PAGE_COPY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../support/cpu_mask.h"
#include "../support/syscall_result.h"
#include "scratch.h"

namespace node_numa {

/** Status of a page that was not come to. */
constexpr int32_t kStatusUnset = INT32_MIN;

struct PageCopyRequest {
  /** Whole pages of one mapping with one policy, which nobody writes and no device uses. */
  uintptr_t begin = 0;
  uintptr_t end = 0;
  int32_t node = 0;
  /** Of the node: memory comes from there where no policy may be set. */
  CpuMask cpus;
  bool has_cpus = false;
  /** The policy that the pages have, to be theirs again. */
  int mode = 0;
  std::vector<unsigned long> nodemask;
  uint64_t maxnode = 0;
  /** madvise(2) that the memory has had; -1 for none. */
  int advice = -1;
};

class PageCopy {
 public:
  PageCopy(const PageCopyRequest& request, const std::atomic<bool>& is_cancelled)
      : request_(request), is_cancelled_(is_cancelled) {}

  /** On a thread that does nothing else afterwards: its policy and CPUs become the target's. */
  SyscallResult Run();

  /** For each page a node, a negative errno as move_pages(2) has it, or `kStatusUnset`. */
  const std::vector<int32_t>& status() const { return status_; }
  int swap_count() const { return swap_count_; }
  /** Whether the kernel said of all copies that they are on the node. */
  bool is_verified() const { return is_verified_; }

 private:
  enum class Kind : unsigned char {
    kCopied,
    // Has no memory of its own, before and after.
    kHole,
    // Nothing may take its place: swapped out, or mapped by others, too.
    kKept,
  };

  /** Pages in a row, of which none is kept. */
  struct Part {
    uintptr_t begin;
    uintptr_t end;
    size_t Bytes() const { return end - begin; }
  };

  SyscallResult AimThread();
  SyscallResult Look();
  void Note(size_t index, uint64_t entry);
  Part NextPart(uintptr_t from) const;
  Part NextCopied(uintptr_t from, uintptr_t end) const;
  Scratch* ScratchFor(const Part& part);
  SyscallResult CopyPart(const Part& part);
  SyscallResult Populate(const Part& part, const Scratch& scratch) const;
  SyscallResult Verify(uintptr_t copy, size_t bytes);
  void CopyBytes(const Part& part, const Scratch& scratch, bool is_back) const;
  SyscallResult SetPolicy(uintptr_t address, size_t bytes) const;
  SyscallResult Swap(const Part& part, Scratch* scratch) const;
  void CloseHole(const Part& part, const Scratch& scratch) const;
  bool IsSame(const Part& part, const Scratch& scratch) const;

  size_t IndexOf(uintptr_t address) const;
  void SetStatus(const Part& part, int32_t status);

  const PageCopyRequest& request_;
  const std::atomic<bool>& is_cancelled_;
  std::vector<Kind> kinds_;
  std::vector<int32_t> status_;
  Scratch aligned_;
  Scratch shifted_;
  std::vector<unsigned long> target_;
  int swap_count_ = 0;
  bool may_bind_ = true;
  bool is_verified_ = true;
};

}  // namespace node_numa

#endif  // NODE_NUMA_COPY_PAGE_COPY_H_
