// Copies memory past the caches: who copies does not read the copy, and its node's memory is far.
#ifndef NODE_NUMA_COPY_STREAM_COPY_H_
#define NODE_NUMA_COPY_STREAM_COPY_H_

#include <cstddef>

namespace node_numa {

/** @param bytes whole pages, from the start of one to the start of another */
void StreamCopy(void* to, const void* from, size_t bytes);

}  // namespace node_numa

#endif  // NODE_NUMA_COPY_STREAM_COPY_H_
