// munmap(2) of a share, and what else owners of mappings do: attach(), array_buffer().
// Thread: the caller's. The memory is given back where the last share is dropped.

#include <cerrno>
#include <utility>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapping_owner.h"
#include "../support/syscall_result.h"

namespace node_numa {

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

/** array_buffer_part(owner, offsetBytes, lengthBytes): SyscallResult<ArrayBuffer> */
napi_value ArrayBufferPart(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OwnedMapping(&arguments, info.Env(), "mapping");
  const uint64_t offset_bytes = arguments.Size("offsetBytes");
  const uint64_t length_bytes = arguments.Size("lengthBytes");
  if (!arguments.Valid()) return {};
  return OwnerArrayBufferPart(info.Env(), info[0], offset_bytes, length_bytes, "array_buffer");
}

/** munmap(owner): undefined */
napi_value Munmap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  OwnedMapping(&arguments, info.Env(), "mapping");
  if (!arguments.Valid()) return {};
  GiveUpMapping(info.Env(), info[0]);
  return Values(info.Env()).Undefined();
}

}  // namespace node_numa
