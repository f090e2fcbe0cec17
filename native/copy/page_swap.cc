// The last step of a copy: it takes the place of the pages that it is one of.

#include <node_api.h>
#include <numaif.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "huge_page_pool.h"
#include "page_copy.h"
#include "page_sizes.h"

namespace node_numa {

namespace {

/** Tries to get addresses back that a failed call has left empty. */
constexpr int kTriesMax = 1000;
constexpr useconds_t kPauseMicroseconds = 100;

// Source: include/uapi/linux/mman.h of Linux 5.7; libraries may have older headers.
constexpr int kDontUnmap = 4;

// MPOL_F_STATIC_NODES. Source: include/uapi/linux/mempolicy.h; numaif.h has not had it always.
constexpr int kStaticNodes = 1 << 15;

std::mutex running_mutex;
int running_count = 0;

}  // namespace

// Waits while another move has put pages aside.
PageCopy::Running::Running() {
  const std::lock_guard<std::mutex> lock(running_mutex);
  running_count += 1;
}

PageCopy::Running::~Running() {
  const std::lock_guard<std::mutex> lock(running_mutex);
  running_count -= 1;
}

SyscallResult PageCopy::Swap(const Part& part, uintptr_t copy, Leaves leaves) {
  // Another move of the same pages would copy zeros while they are put aside.
  std::unique_lock<std::mutex> lock(running_mutex);
  const uintptr_t aside = running_count == 1 ? PutAside(part) : 0;
  if (aside == 0) lock.unlock();
  SyscallResult result = aside == 0 ? SyscallResult{} : Mark(part);
  if (!result.Ok()) {
    CopyBytes(part, copy, true);
    HugePagePool::OfProcess().Drop(aside);
    return result;
  }
  const int flags = MREMAP_MAYMOVE | MREMAP_FIXED | (leaves == Leaves::kMapping ? kDontUnmap : 0);
  void* const moved = mremap(At(copy), part.Bytes(), part.Bytes(), flags, At(part.begin));
  result = SyscallResult::Capture(moved == MAP_FAILED ? -1 : 0, "mremap");
  if (!result.Ok()) CloseHole(part, copy, aside != 0);
  if (aside != 0) KeepAside(aside);
  return result;
}

// Its mapping stays where it is, without pages: a hole might become somebody else's at once.
uintptr_t PageCopy::PutAside(const Part& part) {
  if (!may_keep_ || !may_bind_ || !IsHuge(part)) return 0;
  HugePagePool& pool = HugePagePool::OfProcess();
  const uintptr_t room = pool.Room();
  if (room == 0) return 0;
  const int flags = MREMAP_MAYMOVE | MREMAP_FIXED | kDontUnmap;
  if (mremap(At(part.begin), part.Bytes(), part.Bytes(), flags, At(room)) != MAP_FAILED) {
    return room;
  }
  // Kernels before 5.7 look at the flags first.
  may_keep_ = false;
  if (errno == EINVAL) {
    pool.Drop(room);
  } else {
    pool.Lose(room);
  }
  return 0;
}

// By a policy that nobody else's mapping has: where the copy fails to come, it tells whether the
// addresses are still ours.
SyscallResult PageCopy::Mark(const Part& part) const {
  return SyscallResult::Capture(
      mbind(At(part.begin), part.Bytes(), MPOL_BIND | kStaticNodes, target_.data(),
            target_.size() * kBitsPerWord + 1, 0),
      "mbind");
}

bool PageCopy::IsMarked(const Part& part) const {
  int mode = 0;
  // The kernel fills no more than a page.
  std::vector<unsigned long> nodes(PageBytes() / sizeof(unsigned long));
  const unsigned long bits = nodes.size() * kBitsPerWord;
  if (get_mempolicy(&mode, nodes.data(), bits, At(part.begin), MPOL_F_ADDR) != 0) return false;
  nodes.resize(target_.size());
  return mode == (MPOL_BIND | kStaticNodes) && nodes == target_;
}

void PageCopy::KeepAside(uintptr_t address) const {
  void* page = At(address);
  int node = -1;
  HugePagePool& pool = HugePagePool::OfProcess();
  if (move_pages(0, 1, &page, nullptr, &node, 0) == 0 && node >= 0) {
    pool.Keep(address, node, request_.advice);
  } else {
    pool.Drop(address);
  }
}

// The kernel has taken away what was there before it moved the copy, and may have failed in
// between. What is mapped there then is the old memory, with the bytes of the copy or empty, or
// somebody else's: a script that goes on to use its own array would change that, and the process
// ends. Source: mm/mremap.c, mremap_to().
void PageCopy::CloseHole(const Part& part, uintptr_t copy, bool is_aside) const {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    void* const mapped = mmap(At(part.begin), part.Bytes(), PROT_READ | PROT_WRITE, flags, -1, 0);
    const bool is_ours = mapped == MAP_FAILED && errno == EEXIST && is_aside && IsMarked(part);
    if (mapped != MAP_FAILED || is_ours) {
      SetPolicy(part.begin, part.Bytes());
      if (request_.advice >= 0) madvise(At(part.begin), part.Bytes(), request_.advice);
      CopyBytes(part, copy, true);
      return;
    }
    if (errno == EEXIST) break;
    usleep(kPauseMicroseconds);
  }
  if (!is_aside && IsSame(part, copy)) return;
  napi_fatal_error("node_numa::PageCopy", NAPI_AUTO_LENGTH,
                   "memory was lost while it moved: its addresses are another mapping's",
                   NAPI_AUTO_LENGTH);
}

bool PageCopy::IsSame(const Part& part, uintptr_t copy) const {
  Part run = NextCopied(part.begin, part.end);
  for (; run.begin < part.end; run = NextCopied(run.end, part.end)) {
    if (memcmp(At(run.begin), At(run.begin - part.begin + copy), run.Bytes()) != 0) return false;
  }
  return true;
}

}  // namespace node_numa
