// Runs an operation on a thread of the pool and settles a promise with its answer.
//
// An operation is a movable struct with
//   void Run();                        on the pool: no JavaScript, no Node-API
//   napi_value Settle(Napi::Env env);  on the JavaScript thread, once, also when it cannot run
//                                      JavaScript any more: must release what `Run` was lent
// The promise never rejects: a failed system call is a value.
#ifndef NODE_NUMA_SUPPORT_WORKER_H_
#define NODE_NUMA_SUPPORT_WORKER_H_

#include <napi.h>

#include <utility>

namespace node_numa {

template <typename Operation>
class PoolWork {
 public:
  /** Returns the promise. */
  static Napi::Value Queue(Napi::Env env, const char* name, Operation&& operation) {
    PoolWork* const self = new PoolWork(std::move(operation));
    napi_value promise = nullptr;
    if (napi_create_promise(env, &self->deferred_, &promise) != napi_ok ||
        napi_create_async_work(env, nullptr, Napi::String::New(env, name), Execute, Complete, self,
                               &self->work_) != napi_ok ||
        napi_queue_async_work(env, self->work_) != napi_ok) {
      // The isolate is terminating: nobody waits for the promise.
      self->Finish(env);
    }
    return Napi::Value(env, promise);
  }

 private:
  explicit PoolWork(Operation&& operation) : operation_(std::move(operation)) {}

  static void Execute(napi_env /*env*/, void* data) {
    static_cast<PoolWork*>(data)->operation_.Run();
  }

  // SAFETY: Node runs this for every queued work, also while a worker thread is torn down, before
  // the environment goes; so what the operation holds is released exactly once, on its own thread.
  static void Complete(napi_env env, napi_status /*status*/, void* data) {
    static_cast<PoolWork*>(data)->Finish(env);
  }

  // Every call into the engine may fail here with "cannot run JavaScript"; that is nobody's loss.
  void Finish(napi_env env) {
    const Napi::HandleScope scope(env);
    const napi_value answer = operation_.Settle(env);
    if (deferred_ != nullptr) napi_resolve_deferred(env, deferred_, answer);
    if (work_ != nullptr) napi_delete_async_work(env, work_);
    delete this;
  }

  Operation operation_;
  napi_deferred deferred_ = nullptr;
  napi_async_work work_ = nullptr;
};

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_WORKER_H_
