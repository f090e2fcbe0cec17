// The answer of a system call: its value, or the errno it left. A failure is a value here; nothing
// is thrown. JavaScript sees `{ ok: true, value }` or `{ ok: false, errno, syscall }`.
#ifndef NODE_NUMA_SUPPORT_SYSCALL_RESULT_H_
#define NODE_NUMA_SUPPORT_SYSCALL_RESULT_H_

#include <napi.h>

#include <cerrno>

namespace node_numa {

struct SyscallResult {
  long value = 0;
  int error = 0;
  const char* syscall = "";

  bool Ok() const { return error == 0; }

  /** Takes what a call returned, as its argument, so that nothing can run between it and errno. */
  static SyscallResult Capture(long returned, const char* syscall) {
    return {returned, returned < 0 ? errno : 0, syscall};
  }

  static SyscallResult Failed(int error, const char* syscall) { return {-1, error, syscall}; }
};

inline Napi::Value Success(Napi::Env env, napi_value value) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("ok", true);
  object.Set("value", value);
  return object;
}

inline Napi::Value Failure(Napi::Env env, const SyscallResult& result) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("ok", false);
  object.Set("errno", result.error);
  object.Set("syscall", result.syscall);
  return object;
}

/** For calls whose success says nothing more. */
inline Napi::Value ToJs(Napi::Env env, const SyscallResult& result) {
  return result.Ok() ? Success(env, env.Undefined()) : Failure(env, result);
}

/** For calls whose success is a count. */
inline Napi::Value ToJsNumber(Napi::Env env, const SyscallResult& result) {
  if (!result.Ok()) return Failure(env, result);
  return Success(env, Napi::Number::New(env, static_cast<double>(result.value)));
}

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_SYSCALL_RESULT_H_
