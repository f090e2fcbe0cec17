// The entries that JavaScript calls. Each is described in the file that defines it.
#ifndef NODE_NUMA_ADDON_H_
#define NODE_NUMA_ADDON_H_

#include <napi.h>

namespace node_numa {

Napi::Value Mmap(const Napi::CallbackInfo& info);
Napi::Value Attach(const Napi::CallbackInfo& info);
Napi::Value ArrayBuffer(const Napi::CallbackInfo& info);
Napi::Value Munmap(const Napi::CallbackInfo& info);
Napi::Value Touch(const Napi::CallbackInfo& info);
Napi::Value Mbind(const Napi::CallbackInfo& info);
Napi::Value SetMempolicy(const Napi::CallbackInfo& info);
Napi::Value GetMempolicy(const Napi::CallbackInfo& info);
Napi::Value SetMempolicyHomeNode(const Napi::CallbackInfo& info);
Napi::Value MovePages(const Napi::CallbackInfo& info);
Napi::Value MovePagesAsync(const Napi::CallbackInfo& info);
Napi::Value MigratePagesAsync(const Napi::CallbackInfo& info);
Napi::Value Getcpu(const Napi::CallbackInfo& info);
Napi::Value SchedSetaffinity(const Napi::CallbackInfo& info);
Napi::Value SchedGetaffinity(const Napi::CallbackInfo& info);
Napi::Value Execve(const Napi::CallbackInfo& info);
Napi::Value Pagemap(const Napi::CallbackInfo& info);
Napi::Value Topology(const Napi::CallbackInfo& info);
Napi::Value NodeMemory(const Napi::CallbackInfo& info);
Napi::Value LibnumaPath(const Napi::CallbackInfo& info);
Napi::Value PageSizeBytes(const Napi::CallbackInfo& info);
Napi::Value Uapi(const Napi::CallbackInfo& info);

}  // namespace node_numa

#endif  // NODE_NUMA_ADDON_H_
