// Registers the entries, one line each. Context-aware: every thread of JavaScript may load it; all
// that they share is the table of mappings.

#include "addon.h"

namespace node_numa {

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("mmap", Napi::Function::New<Mmap>(env, "mmap"));
  exports.Set("attach", Napi::Function::New<Attach>(env, "attach"));
  exports.Set("array_buffer", Napi::Function::New<ArrayBuffer>(env, "array_buffer"));
  exports.Set("munmap", Napi::Function::New<Munmap>(env, "munmap"));
  exports.Set("touch", Napi::Function::New<Touch>(env, "touch"));
  exports.Set("mbind", Napi::Function::New<Mbind>(env, "mbind"));
  exports.Set("set_mempolicy", Napi::Function::New<SetMempolicy>(env, "set_mempolicy"));
  exports.Set("get_mempolicy", Napi::Function::New<GetMempolicy>(env, "get_mempolicy"));
  exports.Set("set_mempolicy_home_node",
              Napi::Function::New<SetMempolicyHomeNode>(env, "set_mempolicy_home_node"));
  exports.Set("move_pages", Napi::Function::New<MovePages>(env, "move_pages"));
  exports.Set("move_pages_async", Napi::Function::New<MovePagesAsync>(env, "move_pages_async"));
  exports.Set("migrate_pages_async",
              Napi::Function::New<MigratePagesAsync>(env, "migrate_pages_async"));
  exports.Set("getcpu", Napi::Function::New<Getcpu>(env, "getcpu"));
  exports.Set("sched_setaffinity", Napi::Function::New<SchedSetaffinity>(env, "sched_setaffinity"));
  exports.Set("sched_getaffinity", Napi::Function::New<SchedGetaffinity>(env, "sched_getaffinity"));
  exports.Set("execve", Napi::Function::New<Execve>(env, "execve"));
  exports.Set("pagemap", Napi::Function::New<Pagemap>(env, "pagemap"));
  exports.Set("topology", Napi::Function::New<Topology>(env, "topology"));
  exports.Set("node_memory", Napi::Function::New<NodeMemory>(env, "node_memory"));
  exports.Set("libnuma_path", Napi::Function::New<LibnumaPath>(env, "libnuma_path"));
  exports.Set("page_size_bytes", Napi::Function::New<PageSizeBytes>(env, "page_size_bytes"));
  exports.Set("uapi", Napi::Function::New<Uapi>(env, "uapi"));
  return exports;
}

NODE_API_MODULE(node_numa, Init)

}  // namespace node_numa
