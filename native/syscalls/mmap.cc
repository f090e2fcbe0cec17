// mmap(2), munmap(2): private anonymous memory, its owners, and its bytes as an ArrayBuffer.
// Thread: the caller's. munmap runs where the last share of the mapping is dropped.

#include <sys/mman.h>
#include <unistd.h>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapping_owner.h"
#include "../support/syscall_result.h"

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

// A page without access on each side keeps the kernel from joining the mapping with a neighbour:
// in one mapping a huge page may span both, and would take the neighbour's pages along.
SyscallResult CallMmap(const MmapArguments& arguments, void** address) {
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
  if (!result.Ok()) munmap(outer, outer_bytes);
  return result;
}

int UnmapWithGuards(void* address, size_t length_bytes) {
  const size_t guard_bytes = PageBytes();
  return munmap(static_cast<char*>(address) - guard_bytes,
                RoundUpToPages(length_bytes) + 2 * guard_bytes);
}

}  // namespace

/** mmap(lengthBytes): SyscallResult<owner> */
napi_value Mmap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const MmapArguments decoded{arguments.Size("lengthBytes")};
  if (!arguments.Valid()) return {};

  void* address = nullptr;
  const SyscallResult result = CallMmap(decoded, &address);
  if (!result.Ok()) return Failure(info.Env(), result);
  const int64_t charged_bytes = static_cast<int64_t>(decoded.length_bytes);
  return NewMappingOwner(info.Env(), AdoptMapping(address, decoded.length_bytes, UnmapWithGuards),
                         charged_bytes, "mmap");
}

/** attach(id, generation): SyscallResult<owner> */
napi_value Attach(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const uint64_t id = arguments.Size("id");
  const uint64_t generation = arguments.Size("generation");
  if (!arguments.Valid()) return {};

  MappingShare share = AttachMapping(id, generation);
  if (share == nullptr) return Failure(info.Env(), SyscallResult::Failed(ENOENT, "attach"));
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
