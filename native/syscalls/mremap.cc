// mremap(2): private memory of another length, elsewhere, with its pages, policy and advice. The
// addresses that it had stay mapped, without memory, for whoever still goes on with them.
// Thread: the caller's.

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <vector>

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

/** One mapping's part of the memory: the kernel moves one at a time. */
struct Piece {
  size_t offset_bytes;
  size_t length_bytes;

  size_t End() const { return offset_bytes + length_bytes; }
};

using Pieces = std::vector<Piece>;

/** What lies between the ends, as far as it is kept. */
Pieces PiecesOf(const Elements<uint64_t>& ends, size_t kept_bytes) {
  Pieces pieces;
  size_t begin = 0;
  for (size_t index = 0; index < ends.length && begin < kept_bytes; index++) {
    const uint64_t end = std::min<uint64_t>(ends.data[index], kept_bytes);
    if (end <= begin || end % PageBytes() != 0) continue;
    pieces.push_back({begin, static_cast<size_t>(end) - begin});
    begin = static_cast<size_t>(end);
  }
  if (begin < kept_bytes) pieces.push_back({begin, kept_bytes - begin});
  return pieces;
}

struct Places {
  void* from;
  void* to;
};

bool Remap(const Piece& piece, size_t more_bytes, int how, const Places& places) {
  char* const from = static_cast<char*>(places.from) + piece.offset_bytes;
  char* const to = static_cast<char*>(places.to) + piece.offset_bytes;
  return mremap(from, piece.length_bytes, piece.length_bytes + more_bytes,
                MREMAP_MAYMOVE | MREMAP_FIXED | how, to) != MAP_FAILED;
}

/** Moves them in turn, and the last gets longer; tells how many have moved. */
size_t RemapAll(const Pieces& pieces, size_t more_bytes, int how, const Places& places) {
  for (size_t index = 0; index < pieces.size(); index++) {
    const bool is_last = index + 1 == pieces.size();
    if (!Remap(pieces[index], is_last ? more_bytes : 0, how, places)) return index;
  }
  return pieces.size();
}

// The mappings for it were there a moment ago, and without it the bytes are nowhere.
void PutBack(const Pieces& pieces, size_t begin, size_t end, const Places& places) {
  for (size_t index = begin; index < end; index++) {
    if (!Remap(pieces[index], 0, 0, places)) std::abort();
  }
}

/**
 * A call that fails may leave a hole where it was to move to, which another thread may fill, as one
 * that succeeds does where it moved from. What is behind such a piece was not come to.
 */
void GiveBackBehind(const Piece& piece, size_t bytes, void* address) {
  if (piece.End() < bytes) munmap(static_cast<char*>(address) + piece.End(), bytes - piece.End());
}

// In two steps, because the kernel cannot do both at once: to where nobody has ever been, leaving
// the old addresses mapped, and from there, growing, to where the memory is to be. What is between
// is as far from the start of a huge page as before, so that huge pages stay whole.
SyscallResult MoveAndResize(const Mapping& from, size_t length_bytes,
                            const Elements<uint64_t>& ends, MappedMemory* made) {
  // Of a pool or a file.
  if (from.may_lack_pages) return SyscallResult::Failed(EINVAL, "mremap");
  const size_t huge_bytes = PageBytes() / sizeof(uint64_t) * PageBytes();
  const size_t phase_bytes = reinterpret_cast<uintptr_t>(from.address) % huge_bytes;
  const size_t kept_bytes = RoundUp(std::min(from.length_bytes, length_bytes), PageBytes());
  const size_t whole_bytes = RoundUp(length_bytes, PageBytes());
  const Pieces pieces = PiecesOf(ends, kept_bytes);
  MappedMemory between;
  SyscallResult result = MapPrivate({length_bytes, huge_bytes, phase_bytes}, made);
  if (result.Ok()) result = MapPrivate({kept_bytes, huge_bytes, phase_bytes}, &between);
  if (!result.Ok()) return {-1, result.error, "mremap"};
  SpareMappings spare;
  if (!spare.AreThere()) return SyscallResult::Failed(ENOMEM, "mremap");
  size_t moved = RemapAll(pieces, 0, MREMAP_DONTUNMAP, {from.address, between.address});
  if (moved < pieces.size()) {
    result = SyscallResult::Capture(-1, "mremap");
    spare.GiveBack();
    GiveBackBehind(pieces[moved], kept_bytes, between.address);
    PutBack(pieces, 0, moved, {between.address, from.address});
    LeaveHole(&between, kept_bytes);
    return result;
  }
  spare.GiveBack();
  moved = RemapAll(pieces, whole_bytes - kept_bytes, 0, {between.address, made->address});
  if (moved == pieces.size()) {
    LeaveHole(&between, kept_bytes);
    return {};
  }
  result = SyscallResult::Capture(-1, "mremap");
  if (moved + 1 < pieces.size()) GiveBackBehind(pieces[moved], whole_bytes, made->address);
  PutBack(pieces, 0, moved, {made->address, from.address});
  PutBack(pieces, moved, pieces.size(), {between.address, from.address});
  LeaveHole(made, whole_bytes);
  LeaveHole(&between, kept_bytes);
  return result;
}

}  // namespace

/**
 * mremap(owner, lengthBytes, ends): SyscallResult<owner>; the owner that was given has no share any
 * more then. `ends`: offsets at which its mappings end, but for the last. EBUSY where it is not the
 * only one
 */
napi_value Mremap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OwnedMapping(&arguments, info.Env(), "mapping");
  const size_t length_bytes = arguments.Size("lengthBytes");
  const Elements<uint64_t> ends = arguments.BigUint64s("ends");
  if (!arguments.Valid()) return {};
  const auto move = [&ends](const Mapping& from, size_t bytes, MappedMemory* made) {
    return MoveAndResize(from, bytes, ends, made);
  };
  return ResizeMapping(info.Env(), info[0], length_bytes, move);
}

}  // namespace node_numa
