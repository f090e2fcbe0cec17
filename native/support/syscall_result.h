// The answer of a system call: its value, or the errno it left. A failure is a value here; nothing
// is thrown. JavaScript sees `{ ok: true, value }` or `{ ok: false, errno, syscall }`.
#ifndef NODE_NUMA_SUPPORT_SYSCALL_RESULT_H_
#define NODE_NUMA_SUPPORT_SYSCALL_RESULT_H_

#include <cerrno>

#include "values.h"

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

inline napi_value Success(napi_env env, napi_value value) {
  const Values values(env);
  return values.Object({{"ok", values.Boolean(true)}, {"value", value}});
}

inline napi_value Failure(napi_env env, const SyscallResult& result) {
  const Values values(env);
  return values.Object({{"ok", values.Boolean(false)},
                        {"errno", values.Number(result.error)},
                        {"syscall", values.String(result.syscall)}});
}

/** For calls whose success says nothing more. */
inline napi_value ToJs(napi_env env, const SyscallResult& result) {
  return result.Ok() ? Success(env, Values(env).Undefined()) : Failure(env, result);
}

/** For calls whose success is a count. */
inline napi_value ToJsNumber(napi_env env, const SyscallResult& result) {
  if (!result.Ok()) return Failure(env, result);
  return Success(env, Values(env).Number(static_cast<double>(result.value)));
}

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_SYSCALL_RESULT_H_
