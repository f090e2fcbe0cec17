#include "idle_pool.h"

#include <uv.h>

#include <memory>

#include "../support/values.h"
#include "huge_page_pool.h"

// Deno has no libuv, as in ../support/thread_end.cc.
#pragma weak uv_timer_init
#pragma weak uv_timer_start
#pragma weak uv_unref
#pragma weak uv_close

namespace node_numa {

namespace {

constexpr uint64_t kIdleMilliseconds = 2000;

struct Watch {
  uv_timer_t timer;
  napi_async_cleanup_hook_handle hook = nullptr;
};

// Each JavaScript thread has its own event loop.
thread_local Watch* of_thread = nullptr;

void OnIdle(uv_timer_t* /*timer*/) {
  HugePagePool::OfProcess().GiveBack();
}

void OnClosed(uv_handle_t* timer) {
  Watch* const watch = static_cast<Watch*>(timer->data);
  Unneeded(napi_remove_async_cleanup_hook(watch->hook));
  delete watch;
}

void OnCleanup(napi_async_cleanup_hook_handle /*hook*/, void* data) {
  of_thread = nullptr;
  HugePagePool::OfProcess().GiveBack();
  uv_close(reinterpret_cast<uv_handle_t*>(&static_cast<Watch*>(data)->timer), OnClosed);
}

// Null where the runtime has no libuv, too.
Watch* NewWatch(napi_env env) {
  if (uv_timer_init == nullptr) return nullptr;
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  std::unique_ptr<Watch> watch(new Watch);
  if (napi_add_async_cleanup_hook(env, OnCleanup, watch.get(), &watch->hook) != napi_ok) {
    return nullptr;
  }
  uv_timer_init(loop, &watch->timer);
  watch->timer.data = watch.get();
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->timer));
  return watch.release();
}

}  // namespace

void PoolWasUsed(napi_env env) {
  HugePagePool& pool = HugePagePool::OfProcess();
  if (pool.IsEmpty()) return;
  if (of_thread == nullptr) of_thread = NewWatch(env);
  if (of_thread == nullptr) {
    pool.GiveBack();
  } else {
    uv_timer_start(&of_thread->timer, OnIdle, kIdleMilliseconds, 0);
  }
}

}  // namespace node_numa
