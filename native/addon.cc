// Registers the entries, one line each. Context-aware: every thread of JavaScript may load it; all
// that they share is the table of mappings.

#include "addon.h"

#include <node_api.h>

#include <cerrno>
#include <new>

#include "support/syscall_result.h"
#include "support/values.h"
#include "support/view.h"

namespace node_numa {

namespace {

using Entry = napi_value (*)(const Napi::CallbackInfo& info);

/**
 * What JavaScript calls. The standard library throws where memory ends, and nothing may cross into
 * the engine: that is ENOMEM. An answer that the engine refused to make is an exception, too, but
 * for a thread that is being terminated, where throwing is refused as well.
 */
template <Entry entry>
napi_value Call(napi_env env, napi_callback_info info) {
  napi_value answer = nullptr;
  try {
    answer = entry(Napi::CallbackInfo(env, info));
  } catch (const std::bad_alloc&) {
    void* data = nullptr;
    Unneeded(napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data));
    const char* const name = data == nullptr ? "" : static_cast<const char*>(data);
    answer = Failure(env, SyscallResult::Failed(ENOMEM, name));
  }
  if (answer == nullptr) {
    Unneeded(napi_throw_error(env, nullptr, "the engine refused to make the answer"));
  }
  return answer;
}

/** `syscall` is the name in the answer of an entry that ran out of memory. */
template <Entry entry>
napi_property_descriptor Property(const char* name, const char* syscall) {
  void* const data = const_cast<char*>(syscall);
  return {name, nullptr, Call<entry>, nullptr, nullptr, nullptr, napi_default_jsproperty, data};
}

bool Prepare(napi_env env, napi_value exports) {
  const napi_property_descriptor entries[] = {
      Property<Mmap>("mmap", "mmap"),
      Property<MmapWith>("mmap_with", "mmap"),
      Property<Attach>("attach", "attach"),
      Property<ArrayBuffer>("array_buffer", "array_buffer"),
      Property<ArrayBufferPart>("array_buffer_part", "array_buffer"),
      Property<Mremap>("mremap", "mremap"),
      Property<Munmap>("munmap", "munmap"),
      Property<Madvise>("madvise", "madvise"),
      Property<MadviseAsync>("madvise_async", "madvise"),
      Property<MsyncAsync>("msync_async", "msync"),
      Property<Fstat>("fstat", "fstat"),
      Property<Touch>("touch", "touch"),
      Property<TouchView>("touch_view", "madvise"),
      Property<ViewAddress>("view_address", "view"),
      Property<Mbind>("mbind", "mbind"),
      Property<SetMempolicy>("set_mempolicy", "set_mempolicy"),
      Property<GetMempolicy>("get_mempolicy", "get_mempolicy"),
      Property<SetMempolicyHomeNode>("set_mempolicy_home_node", "set_mempolicy_home_node"),
      Property<MovePages>("move_pages", "move_pages"),
      Property<MovePagesAsync>("move_pages_async", "move_pages"),
      Property<CopyPagesAsync>("copy_pages_async", "copy_pages"),
      Property<ReadMappingsAsync>("read_mappings_async", "read"),
      Property<MigratePagesAsync>("migrate_pages_async", "migrate_pages"),
      Property<Getcpu>("getcpu", "getcpu"),
      Property<SchedSetaffinity>("sched_setaffinity", "sched_setaffinity"),
      Property<SchedGetaffinity>("sched_getaffinity", "sched_getaffinity"),
      Property<Execve>("execve", "execve"),
      Property<Pagemap>("pagemap", "pagemap"),
      Property<PagemapScan>("pagemap_scan", "pagemap_scan"),
      Property<Mincore>("mincore", "mincore"),
      Property<LibnumaPath>("libnuma_path", "libnuma_path"),
      Property<PageSizeBytes>("page_size_bytes", "page_size_bytes"),
      Property<Uapi>("uapi", "uapi"),
  };
  const size_t count = sizeof entries / sizeof entries[0];
  return PrepareViews(env) && napi_define_properties(env, exports, count, entries) == napi_ok;
}

/** A module that has thrown can be asked for again; one with nothing in it would seem loaded. */
napi_value Init(napi_env env, napi_value exports) {
  const char* reason = "the engine refused to make the addon's entries";
  try {
    if (Prepare(env, exports)) return exports;
  } catch (const std::bad_alloc&) {
    reason = "not enough memory to load the addon";
  }
  Unneeded(napi_throw_error(env, nullptr, reason));
  return nullptr;
}

}  // namespace

NAPI_MODULE(node_numa, Init)

}  // namespace node_numa
