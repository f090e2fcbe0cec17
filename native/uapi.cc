// The kernel's numbers as the system headers of the build have them, under the kernel's names, so
// that a test can compare them with the TypeScript copy. Source: include/uapi/linux/mempolicy.h.

#include <linux/mempolicy.h>

#include "addon.h"

namespace node_numa {

Napi::Value Uapi(const Napi::CallbackInfo& info) {
  Napi::Object uapi = Napi::Object::New(info.Env());
  uapi.Set("MPOL_DEFAULT", static_cast<int>(MPOL_DEFAULT));
  uapi.Set("MPOL_PREFERRED", static_cast<int>(MPOL_PREFERRED));
  uapi.Set("MPOL_BIND", static_cast<int>(MPOL_BIND));
  uapi.Set("MPOL_INTERLEAVE", static_cast<int>(MPOL_INTERLEAVE));
  uapi.Set("MPOL_LOCAL", static_cast<int>(MPOL_LOCAL));
  uapi.Set("MPOL_PREFERRED_MANY", static_cast<int>(MPOL_PREFERRED_MANY));
  // One past the newest mode that these headers know: modes are enumerators, and one that an older
  // header lacks cannot be asked for by name.
  uapi.Set("MPOL_MAX", static_cast<int>(MPOL_MAX));
  uapi.Set("MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES);
  uapi.Set("MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES);
  uapi.Set("MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING);
  uapi.Set("MPOL_F_NODE", MPOL_F_NODE);
  uapi.Set("MPOL_F_ADDR", MPOL_F_ADDR);
  uapi.Set("MPOL_F_MEMS_ALLOWED", MPOL_F_MEMS_ALLOWED);
  uapi.Set("MPOL_MF_STRICT", MPOL_MF_STRICT);
  uapi.Set("MPOL_MF_MOVE", MPOL_MF_MOVE);
  uapi.Set("MPOL_MF_MOVE_ALL", MPOL_MF_MOVE_ALL);
  return uapi;
}

}  // namespace node_numa
