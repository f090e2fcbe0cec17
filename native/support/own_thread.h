// Runs an operation on a thread of its own and settles a promise with its answer: what takes long
// keeps none of Node's pool, whose few threads read files and look names up.
//
// An operation is a movable struct with
//   void Run();                        on the thread: no JavaScript, no Node-API
//   void Fail(int error);              in place of Run, or after one that ran out of memory
//   void Cancel();                     from the JavaScript thread: `Run`, which goes on, is to end
//   napi_value Settle(napi_env env);   on the JavaScript thread, unless that has ended meanwhile:
//                                      releases what `Run` was lent, for itself lives longer
// The promise never rejects: a failed system call is a value.
#ifndef NODE_NUMA_SUPPORT_OWN_THREAD_H_
#define NODE_NUMA_SUPPORT_OWN_THREAD_H_

#include <node_api.h>
#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <new>
#include <utility>

#include "values.h"

// glibc 2.34 has given them a new version; before it they are another library's, which Node.js has.
// Sanitizers have their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__x86_64__)
__asm__(".symver pthread_create,pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join,pthread_join@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver pthread_create,pthread_create@GLIBC_2.17");
__asm__(".symver pthread_join,pthread_join@GLIBC_2.17");
#endif
#endif

namespace node_numa {

template <typename Operation>
class OwnThread {
 public:
  /** Returns the promise; null where none can be made. */
  static napi_value Start(napi_env env, const char* name, Operation&& operation) {
    napi_value promise = nullptr;
    napi_deferred deferred = nullptr;
    if (napi_create_promise(env, &deferred, &promise) != napi_ok) return nullptr;
    OwnThread* const self = new (std::nothrow) OwnThread(std::move(operation), deferred);
    int error = ENOMEM;
    if (self == nullptr) {
      operation.Fail(error);
      Resolve(env, deferred, operation.Settle(env));
    } else if (!self->Prepare(env, name) || (error = self->Begin()) != 0) {
      self->operation_.Fail(error);
      self->Finish(env);
    }
    return promise;
  }

 private:
  OwnThread(Operation&& operation, napi_deferred deferred)
      : operation_(std::move(operation)), deferred_(deferred) {}

  // The hook is added behind the function's own, and so runs before it: the thread has ended when
  // the function is taken apart.
  bool Prepare(napi_env env, const char* name) {
    const napi_value resource_name = Values(env).String(name);
    if (resource_name == nullptr ||
        napi_create_threadsafe_function(env, nullptr, nullptr, resource_name, 0, 1, this, Finalize,
                                        this, OnEnded, &ended_) != napi_ok) {
      ended_ = nullptr;
      return false;
    }
    is_hooked_ = napi_add_env_cleanup_hook(env, OnCleanup, this) == napi_ok;
    return is_hooked_;
  }

  // Signals are for threads of Node's: no handler of theirs runs here.
  int Begin() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&thread_, nullptr, Execute, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    is_running_ = error == 0;
    return error;
  }

  static void* Execute(void* data) {
    OwnThread* const self = static_cast<OwnThread*>(data);
    try {
      self->operation_.Run();
    } catch (const std::bad_alloc&) {
      self->operation_.Fail(ENOMEM);
    }
    Unneeded(napi_call_threadsafe_function(self->ended_, nullptr, napi_tsfn_nonblocking));
    return nullptr;
  }

  void Join() {
    if (is_running_) pthread_join(thread_, nullptr);
    is_running_ = false;
  }

  // The JavaScript of the thread has ended: nobody waits for the promise.
  static void OnCleanup(void* data) {
    OwnThread* const self = static_cast<OwnThread*>(data);
    self->operation_.Cancel();
    self->Join();
  }

  // Without an environment where it has gone, and then what `context` names has, too.
  static void OnEnded(napi_env env, napi_value /*callback*/, void* context, void* /*data*/) {
    if (env != nullptr) static_cast<OwnThread*>(context)->Finish(env);
  }

  static void Finalize(napi_env /*env*/, void* data, void* /*hint*/) {
    delete static_cast<OwnThread*>(data);
  }

  // Settling runs scripts where Object.prototype has a `then`, so it comes last.
  void Finish(napi_env env) {
    Join();
    if (is_hooked_) Unneeded(napi_remove_env_cleanup_hook(env, OnCleanup, this));
    const napi_value answer = operation_.Settle(env);
    const napi_deferred deferred = deferred_;
    if (ended_ == nullptr) {
      delete this;
    } else {
      Unneeded(napi_release_threadsafe_function(ended_, napi_tsfn_abort));
    }
    Resolve(env, deferred, answer);
  }

  static void Resolve(napi_env env, napi_deferred deferred, napi_value answer) {
    // Refused where the thread is being terminated: nobody waits for the promise.
    if (answer != nullptr) Unneeded(napi_resolve_deferred(env, deferred, answer));
  }

  Operation operation_;
  const napi_deferred deferred_;
  napi_threadsafe_function ended_ = nullptr;
  pthread_t thread_ = {};
  bool is_running_ = false;
  bool is_hooked_ = false;
};

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_OWN_THREAD_H_
