// msync(2): what was written to a shared mapping of a file, written to the file.
// Thread: the pool.

#include <sys/mman.h>

#include <utility>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapped_part.h"
#include "../support/syscall_result.h"
#include "../support/worker.h"

namespace node_numa {

namespace {

class MsyncOperation {
 public:
  explicit MsyncOperation(MappedPart part) : part_(std::move(part)) {}

  void Run() {
    const int error = part_.Error();
    if (error != 0) return Fail(error);
    result_ = SyscallResult::Capture(
        msync(reinterpret_cast<void*>(part_.Begin()), part_.End() - part_.Begin(), MS_SYNC),
        "msync");
  }

  void Fail(int error) { result_ = SyscallResult::Failed(error, "msync"); }

  napi_value Settle(napi_env env) { return ToJs(env, result_); }

 private:
  MappedPart part_;
  SyscallResult result_;
};

}  // namespace

/** msync_async(owner, offsetBytes, lengthBytes): Promise<SyscallResult<undefined>> */
napi_value MsyncAsync(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MappedPart part = DecodePart(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  return PoolWork<MsyncOperation>::Queue(info.Env(), "node_numa:msync",
                                         MsyncOperation(std::move(part)));
}

}  // namespace node_numa
