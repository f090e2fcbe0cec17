// mmap(2), munmap(2): private anonymous memory, its owners, and its bytes as an ArrayBuffer.
// Thread: the caller's. What gives memory or addresses back runs where the last share is dropped.

#include <sys/mman.h>
#include <unistd.h>

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

constexpr int kPrivate = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

// Fresh memory in place of what was there, guards included: neighbours of the same kind are one
// mapping to the kernel, and it takes nothing until it is written. Without access it would be no
// harm to others, but a thread of Node's that writes there would end the process.
void Empty(char* begin, size_t bytes) {
  // Where this fails, what was there goes on, and is emptied below.
  void* const fresh = mmap(begin, bytes, PROT_READ | PROT_WRITE, kPrivate | MAP_FIXED, -1, 0);
  if (fresh != MAP_FAILED && madvise(begin, bytes, MADV_DONTNEED) == 0) return;
  // Locked, as all that is mapped after mlockall(MCL_FUTURE): such pages are there from the start.
  munlock(begin, bytes);
  if (madvise(begin, bytes, MADV_DONTNEED) == 0) return;
  // Before Linux 6.12 a refusal for lack of memory leaves a hole. Nobody else may get it.
  for (const int protection : {PROT_READ | PROT_WRITE, PROT_NONE}) {
    if (mmap(begin, bytes, protection, kPrivate | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED) return;
  }
}

constexpr RangeCalls kRangeCalls = {Unmap, Empty};

// A page without access on each side keeps the kernel from joining the mapping with a neighbour:
// in one mapping a huge page may span both, and would take the neighbour's pages along.
SyscallResult CallMmap(const MmapArguments& arguments, AddressRange* range, void** address) {
  const size_t guard_bytes = PageBytes();
  // The kernel's own answers to what cannot be mapped at all.
  const bool is_possible = arguments.length_bytes > 0 && arguments.length_bytes <= SIZE_MAX / 2;
  const size_t inner_bytes = is_possible ? RoundUpToPages(arguments.length_bytes) : 0;
  const size_t outer_bytes = is_possible ? inner_bytes + 2 * guard_bytes : arguments.length_bytes;
  void* const outer = mmap(nullptr, outer_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (outer == MAP_FAILED) return SyscallResult::Capture(-1, "mmap");
  *address = static_cast<char*>(outer) + guard_bytes;
  const SyscallResult result =
      SyscallResult::Capture(mprotect(*address, inner_bytes, PROT_READ | PROT_WRITE), "mmap");
  if (result.Ok()) {
    range->Take(static_cast<char*>(outer), outer_bytes);
  } else {
    munmap(outer, outer_bytes);
  }
  return result;
}

}  // namespace

/** mmap(lengthBytes): SyscallResult<owner> */
napi_value Mmap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const MmapArguments decoded{arguments.Size("lengthBytes")};
  if (!arguments.Valid()) return {};

  AddressShare range = std::make_shared<AddressRange>(&kRangeCalls);
  void* address = nullptr;
  SyscallResult result = CallMmap(decoded, range.get(), &address);
  if (result.error == ENOMEM && ReclaimAddresses(info.Env())) {
    result = CallMmap(decoded, range.get(), &address);
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
