// mbind(2): the policy of a range and, by flag, the move of its pages.
// Thread: the caller's, which is blocked while pages move.

#include <numaif.h>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct MbindArguments {
  uint64_t address;
  uint64_t length_bytes;
  int mode;
  MaskWords nodemask;
  uint64_t maxnode;
  unsigned flags;
};

SyscallResult CallMbind(const MbindArguments& arguments) {
  return SyscallResult::Capture(
      mbind(reinterpret_cast<void*>(arguments.address), arguments.length_bytes, arguments.mode,
            arguments.nodemask.data, arguments.maxnode, arguments.flags),
      "mbind");
}

MbindArguments Decode(Arguments* arguments) {
  MbindArguments decoded;
  decoded.address = arguments->Address("address");
  decoded.length_bytes = arguments->Size("lengthBytes");
  decoded.mode = arguments->Bits32("mode");
  decoded.nodemask = arguments->Mask("nodemask");
  decoded.maxnode = arguments->Size("maxnode");
  arguments->RequireMask(decoded.nodemask, decoded.maxnode, "nodemask");
  decoded.flags = static_cast<unsigned>(arguments->Bits32("flags"));
  return decoded;
}

}  // namespace

/** mbind(address, lengthBytes, mode, nodemask, maxnode, flags): SyscallResult<undefined> */
napi_value Mbind(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const MbindArguments decoded = Decode(&arguments);
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallMbind(decoded));
}

}  // namespace node_numa
