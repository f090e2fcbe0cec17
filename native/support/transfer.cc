#include "transfer.h"

#include "values.h"

namespace node_numa {

bool IsDetached(napi_env env, napi_value array_buffer) {
  bool is_detached = false;
  return napi_is_detached_arraybuffer(env, array_buffer, &is_detached) == napi_ok && is_detached;
}

namespace {

// Runs no script of others, unless one took the place of the function before the addon was loaded:
// what it has done is looked at, not believed.
napi_value Transfer(napi_env env, napi_ref function, napi_value array_buffer) {
  napi_value transfer = nullptr;
  napi_value transferred = nullptr;
  bool is_array_buffer = false;
  if (function == nullptr || napi_get_reference_value(env, function, &transfer) != napi_ok) {
    return nullptr;
  }
  if (napi_call_function(env, array_buffer, transfer, 0, nullptr, &transferred) != napi_ok) {
    napi_value exception = nullptr;
    Unneeded(napi_get_and_clear_last_exception(env, &exception));
    return nullptr;
  }
  if (napi_is_arraybuffer(env, transferred, &is_array_buffer) != napi_ok || !is_array_buffer) {
    return nullptr;
  }
  return transferred;
}

}  // namespace

// Node forbids transfer lists for external ArrayBuffers, and detaches them at the thread's end,
// which ends the process where a script has marked them as untransferable. Neither holds for an
// ArrayBuffer that the store was transferred to. Node 20 cannot, and copies what it forbids.
napi_value Ordinary(napi_env env, napi_ref function, napi_value array_buffer, const Store& store) {
  const napi_value ordinary = Transfer(env, function, array_buffer);
  Store found;
  if (ordinary == nullptr ||
      napi_get_arraybuffer_info(env, ordinary, &found.data, &found.length_bytes) != napi_ok ||
      found.data != store.data || found.length_bytes != store.length_bytes) {
    return array_buffer;
  }
  return ordinary;
}

// By the engine's own function where there is one: it refuses what is marked as untransferable,
// where Node-API ends the process. Such a view keeps its length, over zeros.
void Detach(napi_env env, napi_ref function, napi_value array_buffer) {
  napi_value last = array_buffer;
  if (function != nullptr) last = Transfer(env, function, array_buffer);
  // A function that has copied is not the engine's.
  if (last != nullptr && !IsDetached(env, array_buffer)) last = array_buffer;
  if (last != nullptr) Unneeded(napi_detach_arraybuffer(env, last));
}

napi_ref FindTransfer(napi_env env) {
  napi_value value = nullptr;
  napi_valuetype type = napi_undefined;
  napi_ref reference = nullptr;
  if (napi_get_global(env, &value) == napi_ok &&
      napi_get_named_property(env, value, "ArrayBuffer", &value) == napi_ok &&
      napi_get_named_property(env, value, "prototype", &value) == napi_ok &&
      napi_get_named_property(env, value, "transfer", &value) == napi_ok &&
      napi_typeof(env, value, &type) == napi_ok && type == napi_function &&
      napi_create_reference(env, value, 1, &reference) == napi_ok) {
    return reference;
  }
  Unneeded(napi_get_and_clear_last_exception(env, &value));
  return nullptr;
}

}  // namespace node_numa
