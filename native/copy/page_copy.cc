#include "page_copy.h"

#include <fcntl.h>
#include <numaif.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "../support/populate.h"
#include "huge_page_pool.h"
#include "page_sizes.h"
#include "stream_copy.h"

namespace node_numa {

namespace {

// Source: proc_pid_pagemap(5).
constexpr uint64_t kPresent = uint64_t{1} << 63;
constexpr uint64_t kSwapped = uint64_t{1} << 62;
constexpr uint64_t kOfFile = uint64_t{1} << 61;
constexpr uint64_t kMappedOnce = uint64_t{1} << 56;


bool IsDenied(int error) {
  return error == EPERM || error == EACCES || error == ENOSYS;
}

bool IsZero(uintptr_t page) {
  const uint64_t* const words = reinterpret_cast<const uint64_t*>(page);
  return std::all_of(words, words + PageBytes() / sizeof *words,
                     [](uint64_t word) { return word == 0; });
}

}  // namespace

SyscallResult PageCopy::Run() {
  const Running running;
  SyscallResult result = AimThread();
  if (result.Ok()) result = Look();
  for (uintptr_t from = request_.begin; result.Ok() && from < request_.end;) {
    if (is_cancelled_.load(std::memory_order_relaxed)) break;
    const Part part = NextPart(from);
    from = part.end;
    // Of holes alone nothing is to move.
    if (NextCopied(part.begin, part.end).begin < part.end) result = CopyPart(part);
  }
  return result;
}

// Preferred, not bound: a node that is full would have the kernel end processes. What comes from
// elsewhere is seen by `Verify`, or counted afterwards.
SyscallResult PageCopy::AimThread() {
  const size_t node = static_cast<size_t>(request_.node);
  if (node >= kNodesMax) return SyscallResult::Failed(EINVAL, "set_mempolicy");
  target_.assign(node / kBitsPerWord + 1, 0);
  target_[node / kBitsPerWord] = 1UL << (node % kBitsPerWord);
  CpuMask cpus = request_.cpus;
  const bool is_there = request_.has_cpus && sched_setaffinity(0, cpus.bytes(), cpus.set()) == 0;
  const SyscallResult result = SyscallResult::Capture(
      set_mempolicy(MPOL_PREFERRED, target_.data(), target_.size() * kBitsPerWord + 1),
      "set_mempolicy");
  if (result.Ok() || !IsDenied(result.error) || !is_there) return result;
  may_bind_ = false;
  is_verified_ = false;
  return {};
}

SyscallResult PageCopy::Look() {
  const size_t count = (request_.end - request_.begin) / PageBytes();
  kinds_.assign(count, Kind::kKept);
  status_.assign(count, kStatusUnset);
  std::vector<uint64_t> entries(count);
  const int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (file < 0) return SyscallResult::Capture(file, "open");
  const size_t bytes = count * sizeof(uint64_t);
  const off_t offset = static_cast<off_t>(request_.begin / PageBytes() * sizeof(uint64_t));
  const ssize_t had = pread(file, entries.data(), bytes, offset);
  const SyscallResult result = SyscallResult::Capture(had, "pread");
  close(file);
  if (!result.Ok()) return result;
  if (static_cast<size_t>(had) != bytes) return SyscallResult::Failed(EFAULT, "pread");
  for (size_t index = 0; index < count; ++index) Note(index, entries[index]);
  return {};
}

// Neither mapped once nor of a file: the page of zeros, which a hole may stand for, or one that
// others map, too.
void PageCopy::Note(size_t index, uint64_t entry) {
  const bool is_present = (entry & kPresent) != 0;
  if (!is_present) {
    kinds_[index] = (entry & kSwapped) != 0 ? Kind::kKept : Kind::kHole;
    status_[index] = -ENOENT;
  } else if ((entry & (kMappedOnce | kOfFile)) == kMappedOnce) {
    kinds_[index] = Kind::kCopied;
  } else if ((entry & kOfFile) == 0 && IsZero(request_.begin + index * PageBytes())) {
    kinds_[index] = Kind::kHole;
    status_[index] = -EFAULT;
  } else {
    status_[index] = -EACCES;
  }
}

/** From the first page that is not kept to one that is, at most to the end of a huge page. */
PageCopy::Part PageCopy::NextPart(uintptr_t from) const {
  uintptr_t begin = from;
  while (begin < request_.end && kinds_[IndexOf(begin)] == Kind::kKept) begin += PageBytes();
  const uintptr_t last = (begin / HugePageBytes() + 1) * HugePageBytes();
  uintptr_t end = begin;
  while (end < std::min(last, request_.end) && kinds_[IndexOf(end)] != Kind::kKept) {
    end += PageBytes();
  }
  return {begin, end};
}

PageCopy::Part PageCopy::NextCopied(uintptr_t from, uintptr_t end) const {
  uintptr_t first = from;
  while (first < end && kinds_[IndexOf(first)] != Kind::kCopied) first += PageBytes();
  uintptr_t last = first;
  while (last < end && kinds_[IndexOf(last)] == Kind::kCopied) last += PageBytes();
  return {first, last};
}

bool PageCopy::IsDense(const Part& part) const {
  const Part first = NextCopied(part.begin, part.end);
  return first.begin == part.begin && first.end == part.end;
}

bool PageCopy::IsHuge(const Part& part) const {
  return part.Bytes() == HugePageBytes() && part.begin % HugePageBytes() == 0 && IsDense(part);
}

SyscallResult PageCopy::CopyPart(const Part& part) {
  const uintptr_t kept =
      may_bind_ && IsHuge(part)
          ? HugePagePool::OfProcess().Take(request_.node, request_.advice)
          : 0;
  // One that is elsewhere by now is of no use.
  const bool is_usable = kept != 0 && Verify(kept, part.Bytes()).Ok();
  if (kept != 0 && !is_usable) HugePagePool::OfProcess().Drop(kept);
  const SyscallResult result = is_usable ? CopyToKept(part, kept) : CopyToScratch(part);
  if (!result.Ok()) return result;
  swap_count_ += 1;
  SetStatus(part, request_.node);
  return {};
}

SyscallResult PageCopy::CopyToKept(const Part& part, uintptr_t copy) {
  CopyBytes(part, copy, false);
  SyscallResult result = SetPolicy(copy, part.Bytes());
  if (result.Ok()) result = Swap(part, copy, Leaves::kMapping);
  // Of both outcomes its addresses remain, to be used again.
  HugePagePool::OfProcess().Drop(copy);
  return result;
}

// Where there are holes no huge page must fit: it would fill them.
SyscallResult PageCopy::CopyToScratch(const Part& part) {
  const bool is_dense = IsDense(part);
  Scratch* const scratch = is_dense ? &aligned_ : &shifted_;
  if (!scratch->IsMapped()) {
    const size_t shift = is_dense ? 0 : PageBytes();
    const size_t bytes = request_.end - request_.begin;
    const int error = scratch->Map(request_.begin, bytes, shift, request_.advice);
    if (error != 0) return SyscallResult::Failed(error, "mmap");
  }
  const uintptr_t copy = scratch->Of(part.begin);
  scratch->DropBefore(copy);
  SyscallResult result = Populate(part, copy);
  if (result.Ok()) result = Verify(copy, part.Bytes());
  if (result.Ok()) CopyBytes(part, copy, false);
  if (result.Ok()) result = SetPolicy(copy, part.Bytes());
  if (result.Ok()) result = Swap(part, copy, Leaves::kNothing);
  if (result.Ok()) scratch->WasTakenBefore(copy + part.Bytes());
  return result;
}

SyscallResult PageCopy::Populate(const Part& part, uintptr_t copy) const {
  Part run = NextCopied(part.begin, part.end);
  for (; run.begin < part.end; run = NextCopied(run.end, part.end)) {
    const SyscallResult result = SyscallResult::Capture(
        madvise(At(run.begin - part.begin + copy), run.Bytes(), kPopulateWrite), "madvise");
    // Kernels before 5.14 have no such call: the copy itself makes the pages.
    if (!result.Ok() && result.error != EINVAL) return result;
  }
  return {};
}

// A policy of the one node that nothing may break: refused where a page is elsewhere.
SyscallResult PageCopy::Verify(uintptr_t copy, size_t bytes) {
  if (!may_bind_) return {};
  const SyscallResult result =
      SyscallResult::Capture(mbind(At(copy), bytes, MPOL_BIND, target_.data(),
                                   target_.size() * kBitsPerWord + 1, MPOL_MF_STRICT),
                             "mbind");
  if (result.error == EIO) return SyscallResult::Failed(ENOMEM, "mbind");
  if (!IsDenied(result.error)) return result;
  may_bind_ = false;
  is_verified_ = false;
  return {};
}

void PageCopy::CopyBytes(const Part& part, uintptr_t copy, bool is_back) const {
  Part run = NextCopied(part.begin, part.end);
  for (; run.begin < part.end; run = NextCopied(run.end, part.end)) {
    void* const original = At(run.begin);
    void* const copied = At(run.begin - part.begin + copy);
    StreamCopy(is_back ? original : copied, is_back ? copied : original, run.Bytes());
  }
}

SyscallResult PageCopy::SetPolicy(uintptr_t address, size_t bytes) const {
  if (!may_bind_ && request_.mode == MPOL_DEFAULT) return {};
  const unsigned long* const words = request_.nodemask.empty() ? nullptr : request_.nodemask.data();
  return SyscallResult::Capture(
      mbind(At(address), bytes, request_.mode, words, request_.maxnode, 0), "mbind");
}

size_t PageCopy::IndexOf(uintptr_t address) const {
  return (address - request_.begin) / PageBytes();
}

void PageCopy::SetStatus(const Part& part, int32_t status) {
  for (size_t index = IndexOf(part.begin); index < IndexOf(part.end); ++index) {
    // A page of zeros is a hole from now on.
    status_[index] = kinds_[index] == Kind::kCopied ? status : -ENOENT;
  }
}

}  // namespace node_numa
