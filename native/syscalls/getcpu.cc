// getcpu(2): the CPU and the node that the calling thread runs on.
// Thread: the caller's. Through syscall(2), because musl has no wrapper.

#include <sys/syscall.h>
#include <unistd.h>

#include "../addon.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct CpuAndNode {
  unsigned cpu = 0;
  unsigned node = 0;
};

SyscallResult CallGetcpu(CpuAndNode* stored) {
  return SyscallResult::Capture(syscall(SYS_getcpu, &stored->cpu, &stored->node, nullptr),
                                "getcpu");
}

}  // namespace

/** getcpu(): SyscallResult<{ cpu, node }> */
napi_value Getcpu(const Napi::CallbackInfo& info) {
  CpuAndNode stored;
  const SyscallResult result = CallGetcpu(&stored);
  if (!result.Ok()) return Failure(info.Env(), result);

  const Values values(info.Env());
  return Success(info.Env(), values.Object({{"cpu", values.Number(stored.cpu)},
                                            {"node", values.Number(stored.node)}}));
}

}  // namespace node_numa
