// The engine's own way to move the store of an ArrayBuffer: ArrayBuffer.prototype.transfer, which
// Node-API has no call for. Node 20 lacks it.
#ifndef NODE_NUMA_SUPPORT_TRANSFER_H_
#define NODE_NUMA_SUPPORT_TRANSFER_H_

#include <node_api.h>

#include <cstddef>

namespace node_numa {

struct Store {
  void* data = nullptr;
  size_t length_bytes = 0;
};

bool IsDetached(napi_env env, napi_value array_buffer);

/** The function as it is now, held strongly; null where there is none. */
napi_ref FindTransfer(napi_env env);

/** The ArrayBuffer itself where the function is null, or has not moved this store. */
napi_value Ordinary(napi_env env, napi_ref function, napi_value array_buffer, const Store& store);

void Detach(napi_env env, napi_ref function, napi_value array_buffer);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_TRANSFER_H_
