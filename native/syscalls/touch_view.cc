// Memory that the addon has not mapped: where an array's bytes are, and page faults there.
// Thread: the caller's. An ArrayBuffer is detached on its own thread only, and shared memory never
// shrinks: what an array shows stays where it is until the entry returns.

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/populate.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct TouchViewArguments {
  Elements<unsigned char> bytes;
  bool write;
};

// Others have mapped this memory: it may be read-only, or of a file that was made shorter, where an
// access of one's own would end the process. The kernel faults pages in as an access would, and
// answers with an errno. It changes no byte.
SyscallResult CallMadvise(const TouchViewArguments& arguments) {
  if (arguments.bytes.length == 0) return {};
  const uintptr_t page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(arguments.bytes.data);
  const uintptr_t first = begin / page_bytes * page_bytes;
  const size_t length = begin + arguments.bytes.length - first;
  const int advice = PopulateAdvice(arguments.write);
  return SyscallResult::Capture(madvise(reinterpret_cast<void*>(first), length, advice), "madvise");
}

}  // namespace

/** touch_view(bytes, access): SyscallResult<undefined> */
napi_value TouchView(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  TouchViewArguments decoded;
  decoded.bytes = arguments.Bytes("view");
  decoded.write = arguments.IsWrite("access");
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallMadvise(decoded));
}

/** view_address(bytes): SyscallResult<bigint>; EFAULT for an array that shows nothing */
napi_value ViewAddress(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Elements<unsigned char> bytes = arguments.Bytes("view");
  if (!arguments.Valid()) return {};
  if (bytes.length == 0) return Failure(info.Env(), SyscallResult::Failed(EFAULT, "view"));
  const Values values(info.Env());
  return Success(info.Env(), values.BigInt(reinterpret_cast<uintptr_t>(bytes.data)));
}

}  // namespace node_numa
