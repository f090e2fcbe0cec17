// sched_setaffinity(2), sched_getaffinity(2): the CPUs of a thread, or of the calling one.
// Thread: the caller's by necessity, where it is about the calling one.

#include <sched.h>

#include <vector>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/cpu_mask.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

SyscallResult CallSchedSetaffinity(int32_t tid, CpuMask* mask) {
  return SyscallResult::Capture(sched_setaffinity(tid, mask->bytes(), mask->set()),
                                "sched_setaffinity");
}

SyscallResult CallSchedGetaffinity(CpuMask* mask) {
  return SyscallResult::Capture(sched_getaffinity(0, mask->bytes(), mask->set()),
                                "sched_getaffinity");
}

}  // namespace

/** sched_setaffinity(tid, cpus): SyscallResult<undefined>; tid 0 is the calling thread */
napi_value SchedSetaffinity(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int32_t tid = arguments.Bits32("tid");
  CpuMask mask = DecodeCpus(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallSchedSetaffinity(tid, &mask));
}

/** sched_getaffinity(): SyscallResult<number[]> */
napi_value SchedGetaffinity(const Napi::CallbackInfo& info) {
  CpuMask mask;
  const SyscallResult result = CallSchedGetaffinity(&mask);
  if (!result.Ok()) return Failure(info.Env(), result);

  std::vector<int> cpus;
  for (uint32_t cpu = 0; cpu < CpuMask::kCpuCountMax; ++cpu) {
    if (mask.Has(cpu)) cpus.push_back(static_cast<int>(cpu));
  }
  return Success(info.Env(), Values(info.Env()).Numbers(cpus));
}

}  // namespace node_numa
