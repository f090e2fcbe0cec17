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
  /** Nobody reads it either, and it is in huge pages: these go to the pool. */
  bool may_keep = false;
};

class PageCopy {
 public:
  PageCopy(const PageCopyRequest& request, const std::atomic<bool>& is_cancelled)
      : request_(request), is_cancelled_(is_cancelled), may_keep_(request.may_keep) {}

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

  /** A move on its way: others may be of the same pages. */
  class Running {
   public:
    Running();
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
  };

  /** What is where the copy was when it has taken its place. */
  enum class Leaves { kNothing, kMapping };

  /** Above any kernel's MAX_NUMNODES. */
  static constexpr size_t kNodesMax = size_t{1} << 16;
  static constexpr size_t kBitsPerWord = 8 * sizeof(unsigned long);

  static void* At(uintptr_t address) { return reinterpret_cast<void*>(address); }

  SyscallResult AimThread();
  SyscallResult Look();
  void Note(size_t index, uint64_t entry);
  Part NextPart(uintptr_t from) const;
  Part NextCopied(uintptr_t from, uintptr_t end) const;
  bool IsDense(const Part& part) const;
  bool IsHuge(const Part& part) const;
  SyscallResult CopyPart(const Part& part);
  SyscallResult CopyToScratch(const Part& part);
  SyscallResult CopyToKept(const Part& part, uintptr_t copy);
  SyscallResult Populate(const Part& part, uintptr_t copy) const;
  SyscallResult Verify(uintptr_t copy, size_t bytes);
  void CopyBytes(const Part& part, uintptr_t copy, bool is_back) const;
  SyscallResult SetPolicy(uintptr_t address, size_t bytes) const;
  SyscallResult Swap(const Part& part, uintptr_t copy, Leaves leaves);
  uintptr_t PutAside(const Part& part);
  SyscallResult Mark(const Part& part) const;
  bool IsMarked(const Part& part) const;
  void KeepAside(uintptr_t address) const;
  void CloseHole(const Part& part, uintptr_t copy, bool is_aside) const;
  bool IsSame(const Part& part, uintptr_t copy) const;

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
  bool may_keep_ = false;
  bool is_verified_ = true;
};

}  // namespace node_numa

#endif  // NODE_NUMA_COPY_PAGE_COPY_H_
