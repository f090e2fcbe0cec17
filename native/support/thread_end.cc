#include "thread_end.h"

#include <uv.h>

#include <memory>

#include "values.h"

// Deno has Node-API without libuv: a strong name that it lacks ends the process when it is met.
#pragma weak uv_prepare_init
#pragma weak uv_prepare_start
#pragma weak uv_prepare_stop
#pragma weak uv_unref
#pragma weak uv_close
#pragma weak uv_is_closing
#pragma weak uv_walk

namespace node_numa {

namespace {

struct Watch {
  napi_env env;
  ThreadEndCalls calls;
  void* data;
  uv_prepare_t prepare;
  bool has_ended = false;
  napi_async_cleanup_hook_handle hook = nullptr;
};

// The engine looks whether scripts may run before it looks at the arguments.
bool CanRunScripts(napi_env env) {
  void* nothing = nullptr;
  const napi_status status = napi_unwrap(env, nullptr, &nothing);
  return status == napi_invalid_arg;
}

void LookIfClosing(uv_handle_t* handle, void* is_any) {
  if (uv_is_closing(handle)) *static_cast<bool*>(is_any) = true;
}

bool IsAnyHandleClosing(uv_loop_t* loop) {
  bool is_any = false;
  uv_walk(loop, LookIfClosing, &is_any);
  return is_any;
}

// Node's hooks for a thread's end come too late: by then it has detached every external
// ArrayBuffer. Before that it waits for the thread's handles to close, in turns of the event loop;
// and often there was another turn before that one, since scripts could not run any more.
void OnTurn(uv_prepare_t* prepare) {
  Watch* const watch = static_cast<Watch*>(prepare->data);
  if (!watch->has_ended) {
    if (CanRunScripts(watch->env)) return;
    watch->has_ended = true;
    watch->calls.ended(watch->data);
    if (!IsAnyHandleClosing(prepare->loop)) return;
  }
  uv_prepare_stop(prepare);
  watch->calls.taken_apart(watch->data);
}

void OnClosed(uv_handle_t* prepare) {
  Watch* const watch = static_cast<Watch*>(prepare->data);
  Unneeded(napi_remove_async_cleanup_hook(watch->hook));
  delete watch;
}

void OnCleanup(napi_async_cleanup_hook_handle /*hook*/, void* data) {
  uv_close(reinterpret_cast<uv_handle_t*>(&static_cast<Watch*>(data)->prepare), OnClosed);
}

}  // namespace

bool WatchThreadEnd(napi_env env, const ThreadEndCalls& calls, void* data) {
  if (uv_prepare_init == nullptr) return true;
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  std::unique_ptr<Watch> watch(new Watch{env, calls, data, {}});
  if (napi_add_async_cleanup_hook(env, OnCleanup, watch.get(), &watch->hook) != napi_ok) {
    return false;
  }
  uv_prepare_init(loop, &watch->prepare);
  watch->prepare.data = watch.get();
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->prepare));
  uv_prepare_start(&watch->prepare, OnTurn);
  watch.release();
  return true;
}

}  // namespace node_numa
