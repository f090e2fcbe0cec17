// Gives the pool of huge pages back when no copy was made for a while, and when a thread ends.
#ifndef NODE_NUMA_COPY_IDLE_POOL_H_
#define NODE_NUMA_COPY_IDLE_POOL_H_

#include <node_api.h>

namespace node_numa {

/** Called behind each move, on its JavaScript thread: the time begins anew. */
void PoolWasUsed(napi_env env);

}  // namespace node_numa

#endif  // NODE_NUMA_COPY_IDLE_POOL_H_
