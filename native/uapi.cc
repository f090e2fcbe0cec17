// The kernel's numbers as the system headers of the build have them, under the kernel's names, so
// that a test can compare them with the TypeScript copy. Source: include/uapi/linux/mempolicy.h.

#include <linux/mempolicy.h>

#include "addon.h"
#include "support/values.h"

namespace node_numa {

napi_value Uapi(const Napi::CallbackInfo& info) {
  const Values values(info.Env());
  return values.Object({
      {"MPOL_DEFAULT", values.Number(MPOL_DEFAULT)},
      {"MPOL_PREFERRED", values.Number(MPOL_PREFERRED)},
      {"MPOL_BIND", values.Number(MPOL_BIND)},
      {"MPOL_INTERLEAVE", values.Number(MPOL_INTERLEAVE)},
      {"MPOL_LOCAL", values.Number(MPOL_LOCAL)},
      {"MPOL_PREFERRED_MANY", values.Number(MPOL_PREFERRED_MANY)},
      // One past the newest mode that these headers know: modes are enumerators, and one that an
      // older header lacks cannot be asked for by name.
      {"MPOL_MAX", values.Number(MPOL_MAX)},
      {"MPOL_F_STATIC_NODES", values.Number(MPOL_F_STATIC_NODES)},
      {"MPOL_F_RELATIVE_NODES", values.Number(MPOL_F_RELATIVE_NODES)},
      {"MPOL_F_NUMA_BALANCING", values.Number(MPOL_F_NUMA_BALANCING)},
      {"MPOL_F_NODE", values.Number(MPOL_F_NODE)},
      {"MPOL_F_ADDR", values.Number(MPOL_F_ADDR)},
      {"MPOL_F_MEMS_ALLOWED", values.Number(MPOL_F_MEMS_ALLOWED)},
      {"MPOL_MF_STRICT", values.Number(MPOL_MF_STRICT)},
      {"MPOL_MF_MOVE", values.Number(MPOL_MF_MOVE)},
      {"MPOL_MF_MOVE_ALL", values.Number(MPOL_MF_MOVE_ALL)},
  });
}

}  // namespace node_numa
