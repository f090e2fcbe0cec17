// Reads a list of numbers such as "0-2,5" from a file of sysfs or procfs.
#ifndef NODE_NUMA_TOPOLOGY_SYSFS_LIST_H_
#define NODE_NUMA_TOPOLOGY_SYSFS_LIST_H_

#include <vector>

#include "../support/syscall_result.h"

namespace node_numa {

/** The list after `key` at the start of a line; of the file's first line if `key` is empty. */
SyscallResult ReadList(const char* path, const char* key, std::vector<int>* numbers);

}  // namespace node_numa

#endif  // NODE_NUMA_TOPOLOGY_SYSFS_LIST_H_
