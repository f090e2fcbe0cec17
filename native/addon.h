// The entries that JavaScript calls. Each is described in the file that defines it. Null is the
// answer of one that has thrown, or whose thread is being terminated.
#ifndef NODE_NUMA_ADDON_H_
#define NODE_NUMA_ADDON_H_

#include <napi.h>

namespace node_numa {

napi_value Mmap(const Napi::CallbackInfo& info);
napi_value MmapWith(const Napi::CallbackInfo& info);
napi_value Attach(const Napi::CallbackInfo& info);
napi_value ArrayBuffer(const Napi::CallbackInfo& info);
napi_value ArrayBufferPart(const Napi::CallbackInfo& info);
napi_value Mremap(const Napi::CallbackInfo& info);
napi_value Munmap(const Napi::CallbackInfo& info);
napi_value Madvise(const Napi::CallbackInfo& info);
napi_value MadviseAsync(const Napi::CallbackInfo& info);
napi_value MsyncAsync(const Napi::CallbackInfo& info);
napi_value Fstat(const Napi::CallbackInfo& info);
napi_value Touch(const Napi::CallbackInfo& info);
napi_value TouchView(const Napi::CallbackInfo& info);
napi_value ViewAddress(const Napi::CallbackInfo& info);
napi_value Mbind(const Napi::CallbackInfo& info);
napi_value SetMempolicy(const Napi::CallbackInfo& info);
napi_value GetMempolicy(const Napi::CallbackInfo& info);
napi_value SetMempolicyHomeNode(const Napi::CallbackInfo& info);
napi_value MovePages(const Napi::CallbackInfo& info);
napi_value MovePagesAsync(const Napi::CallbackInfo& info);
napi_value CopyPagesAsync(const Napi::CallbackInfo& info);
napi_value ReadMappingsAsync(const Napi::CallbackInfo& info);
napi_value MigratePagesAsync(const Napi::CallbackInfo& info);
napi_value Getcpu(const Napi::CallbackInfo& info);
napi_value SchedSetaffinity(const Napi::CallbackInfo& info);
napi_value SchedGetaffinity(const Napi::CallbackInfo& info);
napi_value Execve(const Napi::CallbackInfo& info);
napi_value Pagemap(const Napi::CallbackInfo& info);
napi_value PagemapScan(const Napi::CallbackInfo& info);
napi_value Mincore(const Napi::CallbackInfo& info);
napi_value LibnumaPath(const Napi::CallbackInfo& info);
napi_value PageSizeBytes(const Napi::CallbackInfo& info);
napi_value Uapi(const Napi::CallbackInfo& info);

}  // namespace node_numa

#endif  // NODE_NUMA_ADDON_H_
