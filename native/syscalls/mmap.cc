// mmap(2), munmap(2): private anonymous memory, its owners, and its bytes as an ArrayBuffer.
// Thread: the caller's. What gives memory or addresses back runs where the last share is dropped.

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "../addon.h"
#include "../support/address_range.h"
#include "../support/arguments.h"
#include "../support/mapping_owner.h"
#include "../support/syscall_result.h"
#include "../support/view.h"

namespace node_numa {

namespace {

struct MmapArguments {
  size_t length_bytes;
};

size_t PageBytes() {
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t RoundUpToPages(size_t length_bytes) {
  return (length_bytes + PageBytes() - 1) / PageBytes() * PageBytes();
}

bool Unmap(char* begin, size_t bytes) {
  return munmap(begin, bytes) == 0;
}

bool MapAt(char* begin, size_t bytes, int protection, int how) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | how;
  return mmap(begin, bytes, protection, flags, -1, 0) != MAP_FAILED;
}

void Discard(char* begin, size_t bytes) {
  if (madvise(begin, bytes, MADV_DONTNEED) == 0) return;
  // Locked, as all that is mapped after mlockall(MCL_FUTURE): such pages are there from the start.
  munlock(begin, bytes);
  madvise(begin, bytes, MADV_DONTNEED);
}

// Fresh memory in place of what was there, guards included: neighbours of the same kind are one
// mapping to the kernel, and it takes nothing until it is written. Without access it would be no
// harm to others, but a thread of Node's that writes there would end the process.
//
// The kernel removes what was there before it has all that the new mapping needs, and where it then
// runs out of memory it leaves a hole, which another thread may fill. Nobody can tell from outside
// whose the addresses are then. So memory is given back while they are ours for certain, and what
// could be refused is asked for first; where it is, what was there goes on without its memory.
// Source: __mmap_region() of mm/vma.c; before Linux 6.12 mmap_region() of mm/mmap.c, where the
// limit of committed memory leaves a hole, too.
bool Empty(char* begin, size_t bytes) {
  Discard(begin, bytes);
  // Commits the guards as the new mapping will, and leaves no mapping to be split at the ends.
  if (mprotect(begin, bytes, PROT_READ | PROT_WRITE) != 0) return true;
  // With room for a mapping, the refusal is that there is one.
  if (MapAt(begin, bytes, PROT_NONE, MAP_FIXED_NOREPLACE) || errno != EEXIST) return true;
  if (MapAt(begin, bytes, PROT_READ | PROT_WRITE, MAP_FIXED)) {
    Discard(begin, bytes);
    return true;
  }
  if (errno != ENOMEM) return true;
  for (const int protection : {PROT_READ | PROT_WRITE, PROT_NONE}) {
    if (MapAt(begin, bytes, protection, MAP_FIXED_NOREPLACE)) return true;
  }
  return false;
}

constexpr RangeCalls kRangeCalls = {Unmap, Empty};

// A page without access on each side keeps the kernel from joining the mapping with a neighbour:
// in one mapping a huge page may span both, and would take the neighbour's pages along.
SyscallResult CallMmap(const MmapArguments& arguments, AddressShare* range, void** address) {
  AddressShare taken = std::make_shared<AddressRange>(&kRangeCalls);
  const size_t guard_bytes = PageBytes();
  // The kernel's own answers to what cannot be mapped at all.
  const bool is_possible = arguments.length_bytes > 0 && arguments.length_bytes <= SIZE_MAX / 2;
  const size_t inner_bytes = is_possible ? RoundUpToPages(arguments.length_bytes) : 0;
  const size_t outer_bytes = is_possible ? inner_bytes + 2 * guard_bytes : arguments.length_bytes;
  void* const outer = mmap(nullptr, outer_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (outer == MAP_FAILED) return SyscallResult::Capture(-1, "mmap");
  // Where the next call is refused, munmap(2) may be, too: the range knows what to do then.
  taken->Take(static_cast<char*>(outer), outer_bytes);
  *address = static_cast<char*>(outer) + guard_bytes;
  const SyscallResult result =
      SyscallResult::Capture(mprotect(*address, inner_bytes, PROT_READ | PROT_WRITE), "mmap");
  if (result.Ok()) *range = std::move(taken);
  return result;
}

}  // namespace

/** mmap(lengthBytes): SyscallResult<owner> */
napi_value Mmap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const MmapArguments decoded{arguments.Size("lengthBytes")};
  if (!arguments.Valid()) return {};

  AddressShare range;
  void* address = nullptr;
  SyscallResult result = CallMmap(decoded, &range, &address);
  if (result.error == ENOMEM && ReclaimAddresses(info.Env())) {
    result = CallMmap(decoded, &range, &address);
  }
  if (!result.Ok()) return Failure(info.Env(), result);
  const int64_t charged_bytes = static_cast<int64_t>(decoded.length_bytes);
  OwnerShare share = AdoptMapping(std::move(range), address, decoded.length_bytes);
  return NewMappingOwner(info.Env(), std::move(share), charged_bytes, "mmap");
}

/** attach(id, generation): SyscallResult<owner> */
napi_value Attach(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const uint64_t id = arguments.Size("id");
  const uint64_t generation = arguments.Size("generation");
  if (!arguments.Valid()) return {};

  OwnerShare share = AttachMapping(id, generation);
  if (share.Get() == nullptr) return Failure(info.Env(), SyscallResult::Failed(ENOENT, "attach"));
  return NewMappingOwner(info.Env(), std::move(share), 0, "attach");
}

/** array_buffer(owner): SyscallResult<ArrayBuffer> */
napi_value ArrayBuffer(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OwnedMapping(&arguments, info.Env(), "mapping");
  if (!arguments.Valid()) return {};
  return OwnerArrayBuffer(info.Env(), info[0], "array_buffer");
}

/** munmap(owner): undefined */
napi_value Munmap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OwnedMapping(&arguments, info.Env(), "mapping");
  if (!arguments.Valid()) return {};
  GiveUpMapping(info.Env(), info[0]);
  return Values(info.Env()).Undefined();
}

/** page_size_bytes(): number */
napi_value PageSizeBytes(const Napi::CallbackInfo& info) {
  return Values(info.Env()).Number(static_cast<double>(PageBytes()));
}

}  // namespace node_numa
