// Which libnuma the calls go through. What it says of nodes is not asked for: it reads their
// distances and numbers once, and a node that comes later, or a file that cannot be read, would be
// told as none (see lib/native-backend/host-nodes.ts).
// Thread: the caller's.

#include <link.h>
#include <numa.h>

#include <climits>
#include <cstdint>
#include <cstdlib>

#include "addon.h"
#include "support/values.h"

namespace node_numa {

namespace {

/** Ends the walk at the object that has libnuma's code. By dladdr(3) it would be a call, but glibc
 *  2.34 gave that a new version. */
int TakeFileOfLibnuma(dl_phdr_info* object, size_t size, void* found) {
  static_cast<void>(size);
  const auto code = reinterpret_cast<uintptr_t>(&numa_available);
  for (ElfW(Half) index = 0; index < object->dlpi_phnum; ++index) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[index];
    const uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || code < begin || code - begin >= segment.p_memsz) continue;
    *static_cast<const char**>(found) = object->dlpi_name;
    return 1;
  }
  return 0;
}

}  // namespace

/** libnuma_path(): string | null; the file of the libnuma in use, symbolic links resolved */
napi_value LibnumaPath(const Napi::CallbackInfo& info) {
  const Values values(info.Env());
  const char* found = nullptr;
  char path[PATH_MAX];
  if (dl_iterate_phdr(TakeFileOfLibnuma, &found) == 0 || realpath(found, path) == nullptr) {
    return values.Null();
  }
  return values.String(path);
}

}  // namespace node_numa
