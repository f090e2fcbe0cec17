// proc_pid_smaps(5), numa(7): what these files tell of the mappings of a range, and nothing of the
// others, whose text is long. The kernel walks page tables for them.
// Thread: one of its own.

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/own_thread.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

// More than the kernel gives at once.
constexpr size_t kReadBytes = size_t{1} << 14;

class MappingsText {
 public:
  MappingsText(bool is_numa_maps, uint64_t begin, uint64_t end)
      : path_(is_numa_maps ? "/proc/self/numa_maps" : "/proc/self/smaps"),
        begin_(begin),
        end_(end) {}

  void Run() {
    const int file = open(path_, O_RDONLY | O_CLOEXEC);
    result_ = SyscallResult::Capture(file, "open");
    if (file < 0) return;
    std::string unread;
    char bytes[kReadBytes];
    bool goes_on = true;
    while (goes_on && !is_cancelled_->load(std::memory_order_relaxed)) {
      const ssize_t had = read(file, bytes, sizeof bytes);
      if (had < 0) result_ = SyscallResult::Capture(-1, "read");
      if (had <= 0) break;
      unread.append(bytes, static_cast<size_t>(had));
      goes_on = TakeLines(&unread);
    }
    close(file);
  }

  void Fail(int error) { result_ = SyscallResult::Failed(error, "read"); }
  void Cancel() { is_cancelled_->store(true, std::memory_order_relaxed); }

  napi_value Settle(napi_env env) {
    if (!result_.Ok()) return Failure(env, result_);
    return Success(env, Values(env).String(text_.c_str()));
  }

 private:
  /** False behind the last mapping that is wanted. */
  bool TakeLines(std::string* unread) {
    size_t start = 0;
    for (size_t end = 0; (end = unread->find('\n', start)) != std::string::npos; start = end + 1) {
      const char* const line = unread->data() + start;
      // A mapping's first line begins with its address, others with a word that has a capital.
      if (*line < 'A' || *line > 'Z') {
        const uint64_t address = strtoull(line, nullptr, 16);
        if (address >= end_) return false;
        // Only the last one in front of the range may reach into it.
        if (address <= begin_) text_.clear();
      }
      text_.append(line, end + 1 - start);
    }
    unread->erase(0, start);
    return true;
  }

  const char* path_;
  uint64_t begin_;
  uint64_t end_;
  // On the heap: an operation is moved, and the thread looks at it all the time.
  std::unique_ptr<std::atomic<bool>> is_cancelled_ = std::make_unique<std::atomic<bool>>(false);
  SyscallResult result_ = {0, 0, "read"};
  std::string text_;
};

}  // namespace

/** read_mappings_async(isNumaMaps, address, lengthBytes): Promise<SyscallResult<string>> */
napi_value ReadMappingsAsync(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const bool is_numa_maps = arguments.Bits32("isNumaMaps") != 0;
  const uint64_t begin = arguments.Address("address");
  const uint64_t length_bytes = arguments.Size("lengthBytes");
  if (!arguments.Valid()) return {};
  const uint64_t end = length_bytes > UINT64_MAX - begin ? UINT64_MAX : begin + length_bytes;
  return OwnThread<MappingsText>::Start(info.Env(), "node_numa:read_mappings",
                                        MappingsText(is_numa_maps, begin, end));
}

}  // namespace node_numa
