// migrate_pages(2): moves a process's pages from one set of nodes to another.
// Thread: the pool.

#include <numaif.h>

#include <vector>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"
#include "../support/worker.h"

namespace node_numa {

namespace {

struct MigratePagesArguments {
  int pid;
  uint64_t maxnode;
  MaskWords from;
  MaskWords to;
};

SyscallResult CallMigratePages(const MigratePagesArguments& arguments) {
  return SyscallResult::Capture(
      migrate_pages(arguments.pid, arguments.maxnode, arguments.from.data, arguments.to.data),
      "migrate_pages");
}

MigratePagesArguments Decode(Arguments* arguments) {
  MigratePagesArguments decoded;
  decoded.pid = arguments->Bits32("pid");
  decoded.maxnode = arguments->Size("maxnode");
  decoded.from = arguments->Mask("from");
  decoded.to = arguments->Mask("to");
  arguments->RequireMask(decoded.from, decoded.maxnode, "from");
  arguments->RequireMask(decoded.to, decoded.maxnode, "to");
  return decoded;
}

class MigratePagesOperation {
 public:
  explicit MigratePagesOperation(const MigratePagesArguments& arguments)
      : arguments_(arguments), from_(Copy(arguments.from)), to_(Copy(arguments.to)) {}

  void Run() {
    if (!arguments_.from.is_null) arguments_.from.data = from_.data();
    if (!arguments_.to.is_null) arguments_.to.data = to_.data();
    result_ = CallMigratePages(arguments_);
  }

  void Fail(int error) { result_ = SyscallResult::Failed(error, "migrate_pages"); }

  napi_value Settle(napi_env env) { return ToJsNumber(env, result_); }

 private:
  // JavaScript may change or detach its arrays while the call runs.
  static std::vector<unsigned long> Copy(const MaskWords& words) {
    return std::vector<unsigned long>(words.data, words.data + words.length);
  }

  MigratePagesArguments arguments_;
  std::vector<unsigned long> from_;
  std::vector<unsigned long> to_;
  SyscallResult result_;
};

}  // namespace

/** migrate_pages_async(pid, maxnode, from, to): Promise<SyscallResult<number>> */
napi_value MigratePagesAsync(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const MigratePagesArguments decoded = Decode(&arguments);
  if (!arguments.Valid()) return {};
  return PoolWork<MigratePagesOperation>::Queue(info.Env(), "node_numa:migrate_pages",
                                                MigratePagesOperation(decoded));
}

}  // namespace node_numa
