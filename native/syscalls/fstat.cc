// fstat(2) of the file behind a mapping, and whether an access came to where it no longer is.
// Thread: the caller's.

#include <sys/stat.h>

#include <cerrno>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapping_owner.h"
#include "../support/syscall_result.h"

namespace node_numa {

/** fstat(owner): SyscallResult<{ sizeBytes, isTruncated }>; EBADF for memory without a file */
napi_value Fstat(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const MappingShare mapping = OwnedMapping(&arguments, info.Env(), "mapping");
  if (!arguments.Valid()) return {};
  if (mapping == nullptr) return Failure(info.Env(), SyscallResult::Failed(ENOENT, "fstat"));
  const int descriptor = mapping->backing == nullptr ? -1 : mapping->backing->descriptor;
  struct stat status;
  const SyscallResult result = SyscallResult::Capture(fstat(descriptor, &status), "fstat");
  if (!result.Ok()) return Failure(info.Env(), result);
  const Values values(info.Env());
  return Success(
      info.Env(),
      values.Object({{"sizeBytes", values.Number(static_cast<double>(status.st_size))},
                     {"isTruncated", values.Boolean(mapping->backing->watch.IsTruncated())}}));
}

}  // namespace node_numa
