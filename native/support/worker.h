// Runs an operation on a thread of the pool and settles a promise with its answer.
//
// An operation is a movable struct with
//   void Run();                        on the pool: no JavaScript, no Node-API
//   void Fail(int error);              in place of Run, or after one that ran out of memory
//   napi_value Settle(napi_env env);   on the JavaScript thread, once, also when it cannot run
//                                      JavaScript any more: must release what `Run` was lent
// The promise never rejects: a failed system call is a value.
#ifndef NODE_NUMA_SUPPORT_WORKER_H_
#define NODE_NUMA_SUPPORT_WORKER_H_

#include <node_api.h>

#include <cerrno>
#include <new>
#include <utility>

#include "values.h"

namespace node_numa {

template <typename Operation>
class PoolWork {
 public:
  /** Returns the promise; null where none can be made. */
  static napi_value Queue(napi_env env, const char* name, Operation&& operation) {
    napi_value promise = nullptr;
    napi_deferred deferred = nullptr;
    if (napi_create_promise(env, &deferred, &promise) != napi_ok) {
      promise = nullptr;
      deferred = nullptr;
    }
    // Nothing may throw: the operation holds what only `Settle` releases.
    PoolWork* const self = new (std::nothrow) PoolWork(std::move(operation), deferred);
    if (self == nullptr) {
      operation.Fail(ENOMEM);
      Resolve(env, deferred, operation.Settle(env));
    } else if (promise == nullptr || !self->Start(env, name)) {
      self->operation_.Fail(ENOMEM);
      self->Finish(env);
    }
    return promise;
  }

 private:
  PoolWork(Operation&& operation, napi_deferred deferred)
      : operation_(std::move(operation)), deferred_(deferred) {}

  bool Start(napi_env env, const char* name) {
    const napi_value resource_name = Values(env).String(name);
    if (resource_name == nullptr || napi_create_async_work(env, nullptr, resource_name, Execute,
                                                           Complete, this, &work_) != napi_ok) {
      work_ = nullptr;
      return false;
    }
    return napi_queue_async_work(env, work_) == napi_ok;
  }

  static void Execute(napi_env /*env*/, void* data) {
    Operation& operation = static_cast<PoolWork*>(data)->operation_;
    try {
      operation.Run();
    } catch (const std::bad_alloc&) {
      operation.Fail(ENOMEM);
    }
  }

  // SAFETY: Node runs this for every queued work, also while a worker thread is torn down, before
  // the environment goes; so what the operation holds is released exactly once, on its own thread.
  static void Complete(napi_env env, napi_status status, void* data) {
    PoolWork* const self = static_cast<PoolWork*>(data);
    if (status != napi_ok) self->operation_.Fail(ECANCELED);
    self->Finish(env);
  }

  // Settling runs scripts where Object.prototype has a `then`, so it comes last.
  void Finish(napi_env env) {
    const napi_value answer = operation_.Settle(env);
    const napi_deferred deferred = deferred_;
    if (work_ != nullptr) Unneeded(napi_delete_async_work(env, work_));
    delete this;
    Resolve(env, deferred, answer);
  }

  static void Resolve(napi_env env, napi_deferred deferred, napi_value answer) {
    // Refused where the thread is being terminated: nobody waits for the promise.
    if (deferred != nullptr && answer != nullptr) {
      Unneeded(napi_resolve_deferred(env, deferred, answer));
    }
  }

  Operation operation_;
  const napi_deferred deferred_;
  napi_async_work work_ = nullptr;
};

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_WORKER_H_
