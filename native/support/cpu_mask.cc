#include "cpu_mask.h"

namespace node_numa {

CpuMask DecodeCpus(Arguments* arguments, napi_env env) {
  CpuMask mask;
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
    } else if (cpu < CpuMask::kCpuCountMax) {
      mask.Add(static_cast<uint32_t>(cpu));
    }
  }
  return mask;
}

}  // namespace node_numa
