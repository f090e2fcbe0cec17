#include "mapping_owner.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "view.h"

namespace node_numa {

namespace {

constexpr napi_type_tag kOwnerTag = {0x8a3c5e0f6b1d4792, 0x91d7c24be05f38a6};

struct Owner {
  OwnerShare share;
  // Bytes that V8 was told of. An external ArrayBuffer is counted by V8 itself, so none with one.
  int64_t charged_bytes = 0;
  // The last one that was made; its ArrayBuffer may be what keeps this owner, or be collected.
  View* view = nullptr;
  // Of some of the bytes each.
  std::vector<View*> parts = {};
};

void Charge(napi_env env, Owner* owner, int64_t bytes) {
  int64_t total;
  Unneeded(napi_adjust_external_memory(env, bytes - owner->charged_bytes, &total));
  owner->charged_bytes = bytes;
}

void ForgetViewOf(Owner* owner) {
  if (owner->view != nullptr) ForgetView(owner->view);
  owner->view = nullptr;
}

void ForgetViewsOf(Owner* owner) {
  ForgetViewOf(owner);
  for (View* const part : owner->parts) ForgetView(part);
  owner->parts.clear();
}

void DetachViewsOf(napi_env env, Owner* owner) {
  if (owner->view != nullptr) DetachView(env, owner->view);
  for (View* const part : owner->parts) DetachView(env, part);
  ForgetViewsOf(owner);
}

/** Those that nobody has any more. */
void ForgetCollectedParts(napi_env env, Owner* owner) {
  std::vector<View*>* const parts = &owner->parts;
  const auto is_collected = [&](View* part) {
    if (ArrayBufferOf(env, *part) != nullptr) return false;
    ForgetView(part);
    return true;
  };
  parts->erase(std::remove_if(parts->begin(), parts->end(), is_collected), parts->end());
}

void FinalizeOwner(napi_env env, void* data, void* /*hint*/) {
  Owner* const owner = static_cast<Owner*>(data);
  Charge(env, owner, 0);
  ForgetViewsOf(owner);
  delete owner;
}

Owner* OwnerOf(napi_env env, napi_value value) {
  napi_valuetype type;
  bool is_owner = false;
  void* data = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env, value, &kOwnerTag, &is_owner) != napi_ok || !is_owner ||
      napi_unwrap(env, value, &data) != napi_ok) {
    return nullptr;
  }
  return static_cast<Owner*>(data);
}

}  // namespace

napi_value NewMappingOwner(napi_env env, OwnerShare share, int64_t charged_bytes,
                           const char* syscall) {
  const Mapping& mapping = *share.Get();
  const Values values(env);
  const napi_value handle = values.Frozen(values.Object(
      {{"id", values.Number(mapping.id)}, {"generation", values.Number(mapping.generation)}}));
  const uint64_t address = reinterpret_cast<uintptr_t>(mapping.address);
  const double length_bytes = static_cast<double>(mapping.length_bytes);
  const napi_value descriptor =
      mapping.backing == nullptr ? values.Null() : values.Number(mapping.backing->descriptor);
  const napi_value object = values.Object({{"handle", handle},
                                           {"address", values.BigInt(address)},
                                           {"lengthBytes", values.Number(length_bytes)},
                                           {"descriptor", descriptor}},
                                          napi_enumerable);

  Owner* const owner = new Owner{std::move(share)};
  if (object == nullptr || napi_type_tag_object(env, object, &kOwnerTag) != napi_ok ||
      napi_wrap(env, object, owner, FinalizeOwner, nullptr, nullptr) != napi_ok) {
    // The thread is being terminated: nobody will see the object.
    FinalizeOwner(env, owner, nullptr);
    return Failure(env, SyscallResult::Failed(ENOMEM, syscall));
  }
  Charge(env, owner, charged_bytes);
  return Success(env, object);
}

MappingShare OwnedMapping(Arguments* arguments, napi_env env, const char* name) {
  const Owner* const owner = OwnerOf(env, arguments->Next());
  if (owner != nullptr) return owner->share.Get();
  arguments->RefuseType(name, "a mapping of this backend");
  return nullptr;
}

napi_value OwnerArrayBuffer(napi_env env, napi_value value, const char* syscall) {
  Owner* const owner = OwnerOf(env, value);
  if (owner == nullptr) return nullptr;
  if (owner->share.Get() == nullptr) return Failure(env, SyscallResult::Failed(ENOENT, syscall));
  napi_value array_buffer = owner->view == nullptr ? nullptr : ArrayBufferOf(env, *owner->view);
  if (array_buffer != nullptr) return Success(env, array_buffer);

  View* view = nullptr;
  const Mapping& mapping = *owner->share.Get();
  const Store whole = {mapping.address, mapping.length_bytes};
  const SyscallResult result =
      NewView(env, owner->share.Get(), whole, syscall, &view, &array_buffer);
  if (!result.Ok()) return Failure(env, result);
  ForgetViewOf(owner);
  owner->view = view;
  Charge(env, owner, 0);
  return Success(env, array_buffer);
}

napi_value OwnerArrayBufferPart(napi_env env, napi_value value, uint64_t offset_bytes,
                                uint64_t length_bytes, const char* syscall) {
  Owner* const owner = OwnerOf(env, value);
  if (owner == nullptr) return nullptr;
  const MappingShare& share = owner->share.Get();
  if (share == nullptr) return Failure(env, SyscallResult::Failed(ENOENT, syscall));
  if (length_bytes == 0 || !share->Covers(offset_bytes, length_bytes)) {
    return Failure(env, SyscallResult::Failed(ERANGE, syscall));
  }
  if (owner->parts.size() == owner->parts.capacity()) {
    ForgetCollectedParts(env, owner);
    owner->parts.reserve(2 * owner->parts.size() + 1);
  }
  View* view = nullptr;
  napi_value array_buffer = nullptr;
  const Store store = {static_cast<char*>(share->address) + offset_bytes, length_bytes};
  const SyscallResult result = NewView(env, share, store, syscall, &view, &array_buffer);
  if (!result.Ok()) return Failure(env, result);
  owner->parts.push_back(view);
  return Success(env, array_buffer);
}

napi_value ResizeMapping(napi_env env, napi_value value, size_t length_bytes,
                         const MoveMemory& move) {
  const char* const syscall = "mremap";
  Owner* const owner = OwnerOf(env, value);
  if (owner == nullptr) return nullptr;
  if (owner->share.Get() == nullptr) return Failure(env, SyscallResult::Failed(ENOENT, syscall));
  long view_share_count = owner->view != nullptr && HasMemory(env, *owner->view) ? 1 : 0;
  for (const View* const part : owner->parts) view_share_count += HasMemory(env, *part) ? 1 : 0;
  SyscallResult result = MoveMapping(owner->share, view_share_count, move, length_bytes);
  if (result.error == ENOMEM && ReclaimAddresses(env)) {
    result = MoveMapping(owner->share, view_share_count, move, length_bytes);
  }
  if (!result.Ok()) return Failure(env, result);
  Charge(env, owner, 0);
  DetachViewsOf(env, owner);
  return NewMappingOwner(env, std::move(owner->share), static_cast<int64_t>(length_bytes), syscall);
}

void GiveUpMapping(napi_env env, napi_value value) {
  Owner* const owner = OwnerOf(env, value);
  if (owner == nullptr) return;
  Charge(env, owner, 0);
  DetachViewsOf(env, owner);
  owner->share.Drop();
}

}  // namespace node_numa
