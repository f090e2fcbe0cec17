// madvise(2): how memory is to be backed, and prefault. Only advice that changes no byte.
// Thread: the caller's, or the pool's, on CPUs of the caller's choice meanwhile: memory without a
// policy of its own comes from the node of the CPU that touches it first.

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/cpu_mask.h"
#include "../support/mapped_part.h"
#include "../support/populate.h"
#include "../support/syscall_result.h"
#include "../support/worker.h"

namespace node_numa {

namespace {

struct MadviseArguments {
  MappedPart part;
  int advice;
};

// Other threads wait to map memory while a call populates: in parts that take less than a
// millisecond, or one huge page.
constexpr uintptr_t kStepBytes = uintptr_t{2} << 20;

bool IsHarmless(int advice) {
  return advice == MADV_HUGEPAGE || advice == MADV_NOHUGEPAGE || advice == kPopulateRead ||
         advice == kPopulateWrite;
}

SyscallResult CallMadvise(const MadviseArguments& arguments) {
  const MappedPart& part = arguments.part;
  const int error = part.Error() != 0 ? part.Error() : IsHarmless(arguments.advice) ? 0 : EINVAL;
  if (error != 0) return SyscallResult::Failed(error, "madvise");
  const bool is_in_steps = arguments.advice == kPopulateRead || arguments.advice == kPopulateWrite;
  SyscallResult result;
  uintptr_t step_end = part.Begin();
  do {
    // Between two of them whoever waits for the CPU has its turn: an event loop, mostly.
    if (step_end > part.Begin()) sched_yield();
    const uintptr_t begin = step_end;
    step_end =
        is_in_steps ? std::min(part.End(), (begin / kStepBytes + 1) * kStepBytes) : part.End();
    result = SyscallResult::Capture(
        madvise(reinterpret_cast<void*>(begin), step_end - begin, arguments.advice), "madvise");
  } while (result.Ok() && step_end < part.End());
  return result;
}

MadviseArguments Decode(Arguments* arguments, napi_env env) {
  MadviseArguments decoded;
  decoded.part = DecodePart(arguments, env);
  decoded.advice = arguments->Bits32("advice");
  return decoded;
}

/** Other CPUs for a thread of the pool, until it goes out of scope. */
class BorrowedCpus {
 public:
  // CPUs that cannot be had are a wish, no condition: the policy decides where pages go.
  explicit BorrowedCpus(CpuMask* cpus) {
    is_changed_ = sched_getaffinity(0, before_.bytes(), before_.set()) >= 0 &&
                  sched_setaffinity(0, cpus->bytes(), cpus->set()) == 0;
  }
  ~BorrowedCpus() {
    if (is_changed_) sched_setaffinity(0, before_.bytes(), before_.set());
  }
  BorrowedCpus(const BorrowedCpus&) = delete;
  BorrowedCpus& operator=(const BorrowedCpus&) = delete;

 private:
  CpuMask before_;
  bool is_changed_ = false;
};

class MadviseOperation {
 public:
  MadviseOperation(MadviseArguments arguments, CpuMask cpus)
      : arguments_(std::move(arguments)), cpus_(std::move(cpus)) {}

  void Run() {
    const BorrowedCpus borrowed(&cpus_);
    result_ = CallMadvise(arguments_);
  }

  void Fail(int error) { result_ = SyscallResult::Failed(error, "madvise"); }

  napi_value Settle(napi_env env) { return ToJs(env, result_); }

 private:
  MadviseArguments arguments_;
  CpuMask cpus_;
  SyscallResult result_;
};

}  // namespace

/** madvise(owner, offsetBytes, lengthBytes, advice): SyscallResult<undefined> */
napi_value Madvise(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const MadviseArguments decoded = Decode(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallMadvise(decoded));
}

/**
 * madvise_async(owner, offsetBytes, lengthBytes, advice, cpus): Promise<SyscallResult<undefined>>;
 * no CPUs for those that the pool's thread has
 */
napi_value MadviseAsync(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MadviseArguments decoded = Decode(&arguments, info.Env());
  CpuMask cpus = DecodeCpus(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  return PoolWork<MadviseOperation>::Queue(info.Env(), "node_numa:madvise",
                                           MadviseOperation(std::move(decoded), std::move(cpus)));
}

}  // namespace node_numa
