// mincore(2): which pages of this process are in memory, at a byte for each.
// Thread: the caller's.

#include <sys/mman.h>
#include <unistd.h>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct MincoreArguments {
  uint64_t address;
  uint64_t page_count;
  Elements<uint64_t> pages;
};

SyscallResult CallMincore(const MincoreArguments& arguments) {
  const uint64_t page_size_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return SyscallResult::Capture(
      mincore(reinterpret_cast<void*>(arguments.address), arguments.page_count * page_size_bytes,
              reinterpret_cast<unsigned char*>(arguments.pages.data)),
      "mincore");
}

}  // namespace

/** mincore(address, pageCount, pages): SyscallResult<undefined>; fills a byte for each page */
napi_value Mincore(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MincoreArguments decoded;
  decoded.address = arguments.Address("address");
  decoded.page_count = arguments.Size("pageCount");
  decoded.pages = arguments.BigUint64s("pages");
  // SAFETY: the kernel writes a byte for each page.
  if (arguments.Valid() && decoded.page_count > decoded.pages.length * sizeof(uint64_t)) {
    arguments.RefuseRange("pages", "long enough for a byte for each page");
  }
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallMincore(decoded));
}

}  // namespace node_numa
