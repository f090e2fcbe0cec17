// mremap(2): private memory of another length, elsewhere, with its pages, policy and advice. The
// addresses that it had stay mapped, without memory, for whoever still goes on with them.
// Thread: the caller's.

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapping_owner.h"
#include "../support/private_memory.h"
#include "../support/syscall_result.h"
#include "../support/view.h"

namespace node_numa {

namespace {

// Older headers than the kernel lack it: since Linux 5.7.
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/** Mappings that the second call may need, kept until the first was made. */
class SpareMappings {
 public:
  SpareMappings() {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    begin_ = mmap(nullptr, kPages * PageBytes(), PROT_NONE, flags, -1, 0);
    is_there_ = begin_ != MAP_FAILED;
    for (size_t page = 1; is_there_ && page < kPages; page += 2) {
      char* const at = static_cast<char*>(begin_) + page * PageBytes();
      if (mprotect(at, PageBytes(), PROT_READ) == 0) continue;
      GiveBack();
      is_there_ = false;
    }
  }
  ~SpareMappings() { GiveBack(); }
  SpareMappings(const SpareMappings&) = delete;
  SpareMappings& operator=(const SpareMappings&) = delete;

  bool AreThere() const { return is_there_; }
  void GiveBack() {
    if (is_there_) munmap(begin_, kPages * PageBytes());
    is_there_ = false;
  }

 private:
  static constexpr size_t kPages = 9;
  void* begin_;
  bool is_there_;
};

void* Remap(void* from, size_t bytes, size_t new_bytes, int how, void* to) {
  return mremap(from, bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED | how, to);
}

// In two steps, because the kernel cannot do both at once: to where nobody has ever been, leaving
// the old addresses mapped, and from there, growing, to where the memory is to be. What is between
// is as far from the start of a huge page as before, so that huge pages stay whole.
SyscallResult MoveAndResize(const Mapping& from, size_t length_bytes, MappedMemory* made) {
  // Of a pool or a file.
  if (from.may_lack_pages) return SyscallResult::Failed(EINVAL, "mremap");
  const size_t huge_bytes = PageBytes() / sizeof(uint64_t) * PageBytes();
  const size_t phase_bytes = reinterpret_cast<uintptr_t>(from.address) % huge_bytes;
  const size_t kept_bytes = RoundUp(std::min(from.length_bytes, length_bytes), PageBytes());
  MappedMemory between;
  SyscallResult result = MapPrivate({length_bytes, huge_bytes, phase_bytes}, made);
  if (result.Ok()) result = MapPrivate({kept_bytes, huge_bytes, phase_bytes}, &between);
  if (!result.Ok()) return {-1, result.error, "mremap"};
  SpareMappings spare;
  if (!spare.AreThere()) return SyscallResult::Failed(ENOMEM, "mremap");
  // A call that fails may leave a hole where it was to move to, which another thread may fill.
  void* moved = Remap(from.address, kept_bytes, kept_bytes, MREMAP_DONTUNMAP, between.address);
  if (moved == MAP_FAILED) {
    result = SyscallResult::Capture(-1, "mremap");
    LeaveHole(&between, kept_bytes);
    return result;
  }
  spare.GiveBack();
  const size_t whole_bytes = RoundUp(length_bytes, PageBytes());
  moved = Remap(between.address, kept_bytes, whole_bytes, 0, made->address);
  if (moved != MAP_FAILED) {
    LeaveHole(&between, kept_bytes);
    return {};
  }
  result = SyscallResult::Capture(-1, "mremap");
  LeaveHole(made, whole_bytes);
  moved = Remap(between.address, kept_bytes, kept_bytes, 0, from.address);
  LeaveHole(&between, kept_bytes);
  // The mappings for it were there a moment ago, and without it the bytes are nowhere.
  if (moved == MAP_FAILED) std::abort();
  return result;
}

}  // namespace

/**
 * mremap(owner, lengthBytes): SyscallResult<owner>; the owner that was given has no share any more
 * then. EBUSY where it is not the only one
 */
napi_value Mremap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OwnedMapping(&arguments, info.Env(), "mapping");
  const size_t length_bytes = arguments.Size("lengthBytes");
  if (!arguments.Valid()) return {};
  return ResizeMapping(info.Env(), info[0], length_bytes, MoveAndResize);
}

}  // namespace node_numa
