#include "mapping_owner.h"

#include <utility>

namespace node_numa {

namespace {

constexpr napi_type_tag kOwnerTag = {0x8a3c5e0f6b1d4792, 0x91d7c24be05f38a6};

struct Owner {
  MappingShare share;
  // Bytes that V8 was told of. An external ArrayBuffer is counted by V8 itself, so none with one.
  int64_t charged_bytes = 0;
  // Weak, because the ArrayBuffer may be what keeps this owner.
  napi_ref array_buffer = nullptr;
};

/** Null where there is none, or it was collected. */
napi_value ArrayBufferOf(napi_env env, const Owner& owner) {
  napi_value array_buffer = nullptr;
  if (owner.array_buffer == nullptr ||
      napi_get_reference_value(env, owner.array_buffer, &array_buffer) != napi_ok) {
    return nullptr;
  }
  return array_buffer;
}

void ForgetArrayBuffer(napi_env env, Owner* owner) {
  if (owner->array_buffer != nullptr) {
    Unneeded(napi_delete_reference(env, owner->array_buffer));
  }
  owner->array_buffer = nullptr;
}

void Charge(napi_env env, Owner* owner, int64_t bytes) {
  int64_t total;
  Unneeded(napi_adjust_external_memory(env, bytes - owner->charged_bytes, &total));
  owner->charged_bytes = bytes;
}

void GiveUp(napi_env env, Owner* owner) {
  if (owner->share == nullptr) return;
  Charge(env, owner, 0);
  DropOwner(&owner->share);
}

void FinalizeOwner(napi_env env, void* data, void* /*hint*/) {
  Owner* const owner = static_cast<Owner*>(data);
  GiveUp(env, owner);
  ForgetArrayBuffer(env, owner);
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

// SAFETY: what the engine's backing store holds. When creating the ArrayBuffer fails, the engine
// may have run the finalizer, may run it later, or never, depending on its version. So creator and
// finalizer both count, and the creator empties `share` itself after a failure.
struct BackingStore {
  MappingShare share;
  int reference_count = 2;

  void Unreference() {
    if (--reference_count == 0) delete this;
  }
};

// Runs on the thread of the isolate, like the creator.
void FinalizeBackingStore(napi_env /*env*/, void* /*data*/, void* hint) {
  BackingStore* const store = static_cast<BackingStore*>(hint);
  store->share.reset();
  store->Unreference();
}

SyscallResult NewArrayBuffer(napi_env env, const MappingShare& share, const char* syscall,
                             napi_value* array_buffer) {
  BackingStore* const store = new BackingStore{share};
  const napi_status status = napi_create_external_arraybuffer(
      env, share->address, share->length_bytes, FinalizeBackingStore, store, array_buffer);
  if (status != napi_ok) store->share.reset();
  store->Unreference();
  if (status == napi_ok) return SyscallResult::Capture(0, syscall);
  if (status == napi_no_external_buffers_allowed) return SyscallResult::Failed(ENOTSUP, syscall);
  // The engine throws for a length above its limit.
  napi_value exception;
  Unneeded(napi_get_and_clear_last_exception(env, &exception));
  return SyscallResult::Failed(EOVERFLOW, syscall);
}

}  // namespace

napi_value NewMappingOwner(napi_env env, MappingShare share, int64_t charged_bytes,
                           const char* syscall) {
  const Values values(env);
  const napi_value handle = values.Frozen(values.Object(
      {{"id", values.Number(share->id)}, {"generation", values.Number(share->generation)}}));
  const uint64_t address = reinterpret_cast<uintptr_t>(share->address);
  const double length_bytes = static_cast<double>(share->length_bytes);
  const napi_value object = values.Object({{"handle", handle},
                                           {"address", values.BigInt(address)},
                                           {"lengthBytes", values.Number(length_bytes)}},
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
  Owner* const owner = OwnerOf(env, arguments->Next());
  if (owner != nullptr) return owner->share;
  arguments->RefuseType(name, "a mapping of this backend");
  return nullptr;
}

napi_value OwnerArrayBuffer(napi_env env, napi_value value, const char* syscall) {
  Owner* const owner = OwnerOf(env, value);
  if (owner == nullptr) return nullptr;
  if (owner->share == nullptr) return Failure(env, SyscallResult::Failed(ENOENT, syscall));
  const napi_value existing = ArrayBufferOf(env, *owner);
  if (existing != nullptr) return Success(env, existing);

  napi_value array_buffer = nullptr;
  const SyscallResult result = NewArrayBuffer(env, owner->share, syscall, &array_buffer);
  if (!result.Ok()) return Failure(env, result);
  Charge(env, owner, 0);
  ForgetArrayBuffer(env, owner);
  if (napi_create_reference(env, array_buffer, 0, &owner->array_buffer) != napi_ok) {
    owner->array_buffer = nullptr;
    return nullptr;
  }
  return Success(env, array_buffer);
}

void GiveUpMapping(napi_env env, napi_value value) {
  Owner* const owner = OwnerOf(env, value);
  if (owner == nullptr) return;
  const napi_value array_buffer = ArrayBufferOf(env, *owner);
  if (array_buffer != nullptr) Unneeded(napi_detach_arraybuffer(env, array_buffer));
  GiveUp(env, owner);
}

}  // namespace node_numa
