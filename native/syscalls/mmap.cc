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

SyscallResult CallMmap(const MmapArguments& arguments, void** address) {
  *address = mmap(nullptr, arguments.length_bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return SyscallResult::Capture(*address == MAP_FAILED ? -1 : 0, "mmap");
}

}  // namespace

/** mmap(lengthBytes): SyscallResult<owner> */
Napi::Value Mmap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  // As asked: mmap and munmap round up to whole pages themselves.
  const MmapArguments decoded{arguments.Size("lengthBytes")};
  if (!arguments.Valid()) return {};

  void* address;
  const SyscallResult result = CallMmap(decoded, &address);
  if (!result.Ok()) return Failure(info.Env(), result);
  const int64_t charged_bytes = static_cast<int64_t>(decoded.length_bytes);
  return NewMappingOwner(info.Env(), AdoptMapping(address, decoded.length_bytes, munmap),
                         charged_bytes, "mmap");
}

/** attach(id, generation): SyscallResult<owner> */
Napi::Value Attach(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const uint64_t id = arguments.Size("id");
  const uint64_t generation = arguments.Size("generation");
  if (!arguments.Valid()) return {};

  MappingShare share = AttachMapping(id, generation);
  if (share == nullptr) return Failure(info.Env(), SyscallResult::Failed(ENOENT, "attach"));
  return NewMappingOwner(info.Env(), std::move(share), 0, "attach");
}

/** array_buffer(owner): SyscallResult<ArrayBuffer> */
Napi::Value ArrayBuffer(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OwnedMapping(&arguments, info.Env(), "mapping");
  if (!arguments.Valid()) return {};
  return OwnerArrayBuffer(info.Env(), info[0], "array_buffer");
}

/** munmap(owner): undefined */
Napi::Value Munmap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OwnedMapping(&arguments, info.Env(), "mapping");
  if (arguments.Valid()) GiveUpMapping(info.Env(), info[0]);
  return {};
}

/** page_size_bytes(): number */
Napi::Value PageSizeBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(sysconf(_SC_PAGESIZE)));
}

}  // namespace node_numa
