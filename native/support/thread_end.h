// Tells when the JavaScript of a thread has ended, before Node takes anything of it apart.
#ifndef NODE_NUMA_SUPPORT_THREAD_END_H_
#define NODE_NUMA_SUPPORT_THREAD_END_H_

#include <node_api.h>

namespace node_numa {

/** Each called once, on the thread, unless the process ends with it or the runtime has no libuv. */
struct ThreadEndCalls {
  /** No script can run there any more, and the ArrayBuffers are as scripts have left them. */
  void (*ended)(void* data);
  /**
   * Node is about to call the finalizers of what lives, or will before long: those that it has
   * called before were of what had ended.
   */
  void (*taken_apart)(void* data);
};

/** False where the engine refuses. */
bool WatchThreadEnd(napi_env env, const ThreadEndCalls& calls, void* data);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_THREAD_END_H_
