// Tells when the JavaScript of a thread has ended, before Node takes anything of it apart.
#ifndef NODE_NUMA_SUPPORT_THREAD_END_H_
#define NODE_NUMA_SUPPORT_THREAD_END_H_

#include <node_api.h>

namespace node_numa {

/**
 * Calls `ended(data)` once, on the thread: no script can run there any more, and the ArrayBuffers
 * are as scripts have left them. Not called where the process ends with the thread. False where the
 * engine refuses.
 */
bool WatchThreadEnd(napi_env env, void (*ended)(void* data), void* data);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_THREAD_END_H_
