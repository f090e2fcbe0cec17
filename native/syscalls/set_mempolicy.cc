// set_mempolicy(2): the policy of the calling thread.
// Thread: the caller's by necessity; a pool thread would set its own.

#include <numaif.h>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct SetMempolicyArguments {
  int mode;
  MaskWords nodemask;
  uint64_t maxnode;
};

SyscallResult CallSetMempolicy(const SetMempolicyArguments& arguments) {
  return SyscallResult::Capture(
      set_mempolicy(arguments.mode, arguments.nodemask.data, arguments.maxnode), "set_mempolicy");
}

SetMempolicyArguments Decode(Arguments* arguments) {
  SetMempolicyArguments decoded;
  decoded.mode = arguments->Bits32("mode");
  decoded.nodemask = arguments->Mask("nodemask");
  decoded.maxnode = arguments->Size("maxnode");
  arguments->RequireMask(decoded.nodemask, decoded.maxnode, "nodemask");
  return decoded;
}

}  // namespace

/** set_mempolicy(mode, nodemask, maxnode): SyscallResult<undefined> */
napi_value SetMempolicy(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const SetMempolicyArguments decoded = Decode(&arguments);
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallSetMempolicy(decoded));
}

}  // namespace node_numa
