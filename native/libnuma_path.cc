// Which libnuma the calls go through. What it says of nodes is not asked for: it reads their
// distances and numbers once, and a node that comes later, or a file that cannot be read, would be
// told as none (see lib/native-backend/host-nodes.ts).
// Thread: the caller's.

#include <dlfcn.h>
#include <numa.h>

#include <climits>
#include <cstdlib>

#include "addon.h"
#include "support/values.h"

namespace node_numa {

/** libnuma_path(): string | null; the file of the libnuma in use, symbolic links resolved */
napi_value LibnumaPath(const Napi::CallbackInfo& info) {
  const Values values(info.Env());
  Dl_info library;
  char path[PATH_MAX];
  if (dladdr(reinterpret_cast<void*>(&numa_available), &library) == 0 ||
      realpath(library.dli_fname, path) == nullptr) {
    return values.Null();
  }
  return values.String(path);
}

}  // namespace node_numa
