// The nodes of this machine, and the only user of libnuma's own functions; see numa(3).
// Thread: the caller's. Most of libnuma's functions fill process-wide caches without a lock, so
// one mutex guards them all.
//
// Which nodes are online, and the order of a row of distances, come from sysfs at each call:
// libnuma's set is taken when it is loaded. numa_available() is not asked: it says no where
// get_mempolicy(2) is denied, and what is read here is readable all the same.

#include <dlfcn.h>
#include <numa.h>
#include <pthread.h>

#include <climits>
#include <cstdlib>
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

Napi::Array Numbers(Napi::Env env, const std::vector<int>& numbers) {
  Napi::Array array = Napi::Array::New(env, numbers.size());
  for (uint32_t index = 0; index < numbers.size(); ++index) array.Set(index, numbers[index]);
  return array;
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

Napi::Object MemoryToJs(Napi::Env env, const Memory& memory) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("memoryBytes", static_cast<double>(memory.total_bytes));
  object.Set("freeBytes", static_cast<double>(memory.free_bytes));
  return object;
}

Napi::Array NodesToJs(Napi::Env env, const std::vector<int>& online) {
  Napi::Array nodes = Napi::Array::New(env, online.size());
  for (uint32_t index = 0; index < online.size(); ++index) {
    Memory memory = ReadMemory(online[index]);
    if (memory.total_bytes < 0) memory = {0, 0};
    Napi::Object node = MemoryToJs(env, memory);
    node.Set("id", online[index]);
    node.Set("cpus", Numbers(env, CpusOf(online[index])));
    nodes.Set(index, node);
  }
  return nodes;
}

Napi::Array DistancesToJs(Napi::Env env, const std::vector<int>& online) {
  Napi::Array rows = Napi::Array::New(env, online.size());
  for (uint32_t index = 0; index < online.size(); ++index) {
    std::vector<int> row;
    for (const int to : online) row.push_back(numa_distance(online[index], to));
    rows.Set(index, Numbers(env, row));
  }
  return rows;
}

}  // namespace

/** topology(): SyscallResult<{ nodes, distances, allowedNodes }> */
Napi::Value Topology(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<int> online;
  const SyscallResult result = ReadList(kOnlinePath, "", &online);
  if (!result.Ok()) return Failure(env, result);

  const LibnumaLock lock;
  numa_node_to_cpu_update();
  Napi::Object value = Napi::Object::New(env);
  value.Set("nodes", NodesToJs(env, online));
  value.Set("distances", DistancesToJs(env, online));
  value.Set("allowedNodes", Numbers(env, AllowedNodes()));
  return Success(env, value);
}

/** node_memory(node): SyscallResult<{ memoryBytes, freeBytes }> */
Napi::Value NodeMemory(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int node = arguments.Bits32("node");
  if (!arguments.Valid()) return {};

  const LibnumaLock lock;
  const Memory memory = ReadMemory(node);
  if (memory.total_bytes < 0) {
    return Failure(info.Env(), SyscallResult::Failed(EINVAL, "numa_node_size64"));
  }
  return Success(info.Env(), MemoryToJs(info.Env(), memory));
}

/** libnuma_path(): string | null; the file of the libnuma in use, symbolic links resolved */
Napi::Value LibnumaPath(const Napi::CallbackInfo& info) {
  Dl_info library;
  char path[PATH_MAX];
  if (dladdr(reinterpret_cast<void*>(&numa_available), &library) == 0 ||
      realpath(library.dli_fname, path) == nullptr) {
    return info.Env().Null();
  }
  return Napi::String::New(info.Env(), path);
}

}  // namespace node_numa
