// The nodes of this machine, and the only user of libnuma's own functions; see numa(3).
// Thread: the caller's. Most of libnuma's functions fill process-wide caches without a lock, so
// one mutex guards them all. Nothing of JavaScript runs under it.
//
// Which nodes are online, and the order of a row of distances, come from sysfs at each call:
// libnuma's set is taken when it is loaded. numa_available() is not asked: it says no where
// get_mempolicy(2) is denied, and what is read here is readable all the same.

#include <dlfcn.h>
#include <numa.h>
#include <pthread.h>

#include <climits>
#include <cstdlib>
#include <utility>
#include <vector>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"
#include "sysfs_list.h"

namespace node_numa {

namespace {

constexpr const char* kOnlinePath = "/sys/devices/system/node/online";
constexpr const char* kStatusPath = "/proc/thread-self/status";
constexpr const char* kAllowedKey = "Mems_allowed_list:";

// Trivially destructible, so safe as a static.
pthread_mutex_t libnuma_mutex = PTHREAD_MUTEX_INITIALIZER;

class LibnumaLock {
 public:
  LibnumaLock() { pthread_mutex_lock(&libnuma_mutex); }
  ~LibnumaLock() { pthread_mutex_unlock(&libnuma_mutex); }
};

struct Memory {
  long long total_bytes = -1;
  long long free_bytes = 0;
};

Memory ReadMemory(int node) {
  Memory memory;
  memory.total_bytes = numa_node_size64(node, &memory.free_bytes);
  return memory;
}

// A node without CPUs has an empty mask of its own; one that libnuma cannot read has none.
std::vector<int> CpusOf(int node) {
  std::vector<int> cpus;
  struct bitmask* const mask = numa_allocate_cpumask();
  if (numa_node_to_cpus(node, mask) == 0) {
    for (unsigned cpu = 0; cpu < mask->size; ++cpu) {
      if (numa_bitmask_isbitset(mask, cpu)) cpus.push_back(static_cast<int>(cpu));
    }
  }
  numa_bitmask_free(mask);
  return cpus;
}

// get_mempolicy(2) asks for the calling thread; where it is denied, the thread's status file says.
std::vector<int> AllowedNodes() {
  std::vector<int> nodes;
  struct bitmask* const mask = numa_get_mems_allowed();
  for (unsigned node = 0; mask != nullptr && node < mask->size; ++node) {
    if (numa_bitmask_isbitset(mask, node)) nodes.push_back(static_cast<int>(node));
  }
  if (mask != nullptr) numa_bitmask_free(mask);
  if (nodes.empty()) ReadList(kStatusPath, kAllowedKey, &nodes);
  return nodes;
}

struct Node {
  int id;
  Memory memory;
  std::vector<int> cpus;
};

struct Snapshot {
  std::vector<Node> nodes;
  std::vector<std::vector<int>> distances;
  std::vector<int> allowed;
};

Snapshot ReadSnapshot(const std::vector<int>& online) {
  const LibnumaLock lock;
  numa_node_to_cpu_update();
  Snapshot snapshot;
  for (const int id : online) {
    Memory memory = ReadMemory(id);
    if (memory.total_bytes < 0) memory = {0, 0};
    snapshot.nodes.push_back({id, memory, CpusOf(id)});
    std::vector<int> row;
    for (const int to : online) row.push_back(numa_distance(id, to));
    snapshot.distances.push_back(std::move(row));
  }
  snapshot.allowed = AllowedNodes();
  return snapshot;
}

napi_value MemoryToJs(const Values& values, const Memory& memory) {
  return values.Object({{"memoryBytes", values.Number(static_cast<double>(memory.total_bytes))},
                        {"freeBytes", values.Number(static_cast<double>(memory.free_bytes))}});
}

napi_value NodeToJs(const Values& values, const Node& node) {
  const Memory& memory = node.memory;
  return values.Object({{"memoryBytes", values.Number(static_cast<double>(memory.total_bytes))},
                        {"freeBytes", values.Number(static_cast<double>(memory.free_bytes))},
                        {"id", values.Number(node.id)},
                        {"cpus", values.Numbers(node.cpus)}});
}

napi_value SnapshotToJs(const Values& values, const Snapshot& snapshot) {
  std::vector<napi_value> nodes;
  for (const Node& node : snapshot.nodes) nodes.push_back(NodeToJs(values, node));
  std::vector<napi_value> distances;
  for (const std::vector<int>& row : snapshot.distances) distances.push_back(values.Numbers(row));
  return values.Object({{"nodes", values.Array(nodes)},
                        {"distances", values.Array(distances)},
                        {"allowedNodes", values.Numbers(snapshot.allowed)}});
}

}  // namespace

/** topology(): SyscallResult<{ nodes, distances, allowedNodes }> */
napi_value Topology(const Napi::CallbackInfo& info) {
  std::vector<int> online;
  const SyscallResult result = ReadList(kOnlinePath, "", &online);
  if (!result.Ok()) return Failure(info.Env(), result);
  return Success(info.Env(), SnapshotToJs(Values(info.Env()), ReadSnapshot(online)));
}

/** node_memory(node): SyscallResult<{ memoryBytes, freeBytes }> */
napi_value NodeMemory(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int node = arguments.Bits32("node");
  if (!arguments.Valid()) return {};

  Memory memory;
  {
    const LibnumaLock lock;
    memory = ReadMemory(node);
  }
  if (memory.total_bytes < 0) {
    return Failure(info.Env(), SyscallResult::Failed(EINVAL, "numa_node_size64"));
  }
  return Success(info.Env(), MemoryToJs(Values(info.Env()), memory));
}

/** libnuma_path(): string | null; the file of the libnuma in use, symbolic links resolved */
napi_value LibnumaPath(const Napi::CallbackInfo& info) {
  const Values values(info.Env());
  Dl_info library;
  char path[PATH_MAX];
  if (dladdr(reinterpret_cast<void*>(&numa_available), &library) == 0 ||
      realpath(library.dli_fname, path) == nullptr) {
    return values.Null();
  }
  return values.String(path);
}

}  // namespace node_numa
