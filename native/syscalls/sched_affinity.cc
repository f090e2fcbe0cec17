// sched_setaffinity(2), sched_getaffinity(2): the CPUs that the calling thread may run on.
// Thread: the caller's by necessity.

#include <sched.h>

#include <vector>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

// Far above the largest kernel build (8192 CPUs). A higher number names no CPU anywhere, and is
// left out of the mask as the kernel leaves out those above its own limit.
constexpr uint32_t kCpuCountMax = 65536;
constexpr size_t kBitsPerWord = 8 * sizeof(unsigned long);

/** Bit n of word n / kBitsPerWord for CPU n. */
using CpuMask = std::vector<unsigned long>;

cpu_set_t* CpuSet(CpuMask* mask) {
  return reinterpret_cast<cpu_set_t*>(mask->data());
}

SyscallResult CallSchedSetaffinity(CpuMask* mask) {
  return SyscallResult::Capture(
      sched_setaffinity(0, mask->size() * sizeof(unsigned long), CpuSet(mask)),
      "sched_setaffinity");
}

SyscallResult CallSchedGetaffinity(CpuMask* mask) {
  return SyscallResult::Capture(
      sched_getaffinity(0, mask->size() * sizeof(unsigned long), CpuSet(mask)),
      "sched_getaffinity");
}

CpuMask DecodeCpus(Arguments* arguments, napi_env env) {
  CpuMask mask(kCpuCountMax / kBitsPerWord);
  const napi_value value = arguments->Next();
  uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok) {
    arguments->RefuseType("cpus", "an array of CPU numbers");
  }
  // A getter runs scripts, and may make the array shorter: what is not there is no number.
  for (uint32_t index = 0; index < length && arguments->Valid(); ++index) {
    napi_value element = nullptr;
    double cpu = -1;
    if (napi_get_element(env, value, index, &element) != napi_ok ||
        napi_get_value_double(env, element, &cpu) != napi_ok) {
      arguments->RefuseType("cpus", "an array of CPU numbers");
    } else if (!(cpu >= 0 && cpu <= UINT32_MAX) || cpu != static_cast<uint32_t>(cpu)) {
      arguments->RefuseRange("cpus", "an array of integers from 0 to 2 ** 32 - 1");
    } else if (cpu < kCpuCountMax) {
      const uint32_t number = static_cast<uint32_t>(cpu);
      mask[number / kBitsPerWord] |= 1UL << (number % kBitsPerWord);
    }
  }
  return mask;
}

}  // namespace

/** sched_setaffinity(cpus): SyscallResult<undefined> */
napi_value SchedSetaffinity(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  CpuMask mask = DecodeCpus(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallSchedSetaffinity(&mask));
}

/** sched_getaffinity(): SyscallResult<number[]> */
napi_value SchedGetaffinity(const Napi::CallbackInfo& info) {
  CpuMask mask(kCpuCountMax / kBitsPerWord);
  const SyscallResult result = CallSchedGetaffinity(&mask);
  if (!result.Ok()) return Failure(info.Env(), result);

  std::vector<int> cpus;
  for (uint32_t cpu = 0; cpu < kCpuCountMax; ++cpu) {
    if (mask[cpu / kBitsPerWord] >> (cpu % kBitsPerWord) & 1) cpus.push_back(static_cast<int>(cpu));
  }
  return Success(info.Env(), Values(info.Env()).Numbers(cpus));
}

}  // namespace node_numa
