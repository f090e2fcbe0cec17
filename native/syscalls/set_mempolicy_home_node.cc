// set_mempolicy_home_node(2): the node from which the allocations of a range's policy start.
// Thread: the caller's. It acts on the address space, so any thread's would do; it moves nothing
// and is quick. By number, because libnuma and the C library have no entry for it.

#include <sys/syscall.h>
#include <unistd.h>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"

// Source: include/uapi/asm-generic/unistd.h; one number for all architectures since Linux 5.17.
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif

namespace node_numa {

namespace {

struct SetMempolicyHomeNodeArguments {
  uint64_t address;
  uint64_t length_bytes;
  uint64_t node;
  uint64_t flags;
};

SyscallResult CallSetMempolicyHomeNode(const SetMempolicyHomeNodeArguments& arguments) {
  return SyscallResult::Capture(syscall(SYS_set_mempolicy_home_node, arguments.address,
                                        arguments.length_bytes, arguments.node, arguments.flags),
                                "set_mempolicy_home_node");
}

SetMempolicyHomeNodeArguments Decode(Arguments* arguments) {
  SetMempolicyHomeNodeArguments decoded;
  decoded.address = arguments->Address("address");
  decoded.length_bytes = arguments->Size("lengthBytes");
  decoded.node = arguments->Size("node");
  decoded.flags = arguments->Size("flags");
  return decoded;
}

}  // namespace

/** set_mempolicy_home_node(address, lengthBytes, node, flags): SyscallResult<undefined> */
napi_value SetMempolicyHomeNode(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const SetMempolicyHomeNodeArguments decoded = Decode(&arguments);
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallSetMempolicyHomeNode(decoded));
}

}  // namespace node_numa
