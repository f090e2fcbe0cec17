// Not a system call, but a move that is made of several: a copy on the target node, and mremap(2)
// over the old address. Thread: one of its own, which is aimed at the node and ends with the move.

#include <atomic>
#include <memory>
#include <utility>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapped_part.h"
#include "../support/own_thread.h"
#include "idle_pool.h"
#include "page_copy.h"
#include "page_sizes.h"

namespace node_numa {

namespace {

class CopyOperation {
 public:
  CopyOperation(MappedPart part, PageCopyRequest request)
      : part_(std::move(part)), request_(std::move(request)) {}

  void Run() {
    result_.error = Error();
    if (!result_.Ok()) return;
    request_.begin = part_.Begin();
    request_.end = (part_.End() + PageBytes() - 1) / PageBytes() * PageBytes();
    PageCopy copy(request_, *is_cancelled_);
    result_ = copy.Run();
    status_ = copy.status();
    swap_count_ = copy.swap_count();
    is_verified_ = copy.is_verified();
  }

  void Fail(int error) { result_ = SyscallResult::Failed(error, "copy_pages"); }

  void Cancel() { is_cancelled_->store(true, std::memory_order_relaxed); }

  // With the statuses also where it ended early: pages had moved. Whoever is told of the end can
  // rely on it that the memory is not in use any more.
  napi_value Settle(napi_env env) {
    part_.mapping.reset();
    PoolWasUsed(env);
    if (status_.empty() && !result_.Ok()) return Failure(env, result_);
    const Values values(env);
    return Success(env, values.Object({{"status", values.Int32s(status_.data(), status_.size())},
                                       {"swapCount", values.Number(swap_count_)},
                                       {"isVerified", values.Boolean(is_verified_)},
                                       {"errno", values.Number(result_.error)},
                                       {"syscall", values.String(result_.syscall)}}));
  }

 private:
  int Error() const {
    if (part_.Error() != 0) return part_.Error();
    // Of a pool or a file there is more than one page, or none, for an address.
    return part_.mapping->may_lack_pages ? EINVAL : 0;
  }

  MappedPart part_;
  PageCopyRequest request_;
  // On the heap: an operation is moved, and the thread looks at it all the time.
  std::unique_ptr<std::atomic<bool>> is_cancelled_ = std::make_unique<std::atomic<bool>>(false);
  SyscallResult result_ = {0, 0, "copy_pages"};
  std::vector<int32_t> status_;
  int swap_count_ = 0;
  bool is_verified_ = false;
};

}  // namespace

/**
 * copy_pages_async(owner, offsetBytes, lengthBytes, node, cpus, mode, nodemask, maxnode, advice,
 * mayKeep): Promise<SyscallResult<{ status, swapCount, isVerified, errno, syscall }>>; errno 0 at
 * its end, no CPUs for those that a thread has, -1 for no advice
 */
napi_value CopyPagesAsync(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MappedPart part = DecodePart(&arguments, info.Env());
  PageCopyRequest request;
  request.node = arguments.Bits32("node");
  uint32_t cpu_count = 0;
  Unneeded(napi_get_array_length(info.Env(), arguments.Peek(), &cpu_count));
  request.has_cpus = cpu_count > 0;
  request.cpus = DecodeCpus(&arguments, info.Env());
  request.mode = arguments.Bits32("mode");
  const MaskWords nodemask = arguments.Mask("nodemask");
  request.maxnode = arguments.Size("maxnode");
  arguments.RequireMask(nodemask, request.maxnode, "nodemask");
  request.advice = arguments.Bits32("advice");
  request.may_keep = arguments.Bits32("mayKeep") != 0;
  if (request.node < 0) arguments.RefuseRange("node", "0 or more");
  if (!arguments.Valid()) return {};
  if (nodemask.data != nullptr) {
    request.nodemask.assign(nodemask.data, nodemask.data + nodemask.length);
  }
  return OwnThread<CopyOperation>::Start(info.Env(), "node_numa:copy_pages",
                                         CopyOperation(std::move(part), std::move(request)));
}

}  // namespace node_numa
