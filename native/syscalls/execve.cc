// execve(2): this process becomes another program, with what Node has changed of it undone.
// Thread: the caller's by necessity; its policy and its CPUs are what the program keeps.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct ExecveArguments {
  const char* path;
  /** Ends with a null pointer. */
  std::vector<char*> argv;
  /** Descriptors above the three standard ones that the program keeps. */
  Elements<int32_t> kept;
  /** Soft limit of descriptors; 0 leaves it as it is. */
  uint64_t descriptors_max;
};

/** What Node has changed of this process. It is as it was where the process goes on. */
class NodesOwn {
 public:
  NodesOwn();
  ~NodesOwn();
  NodesOwn(const NodesOwn&) = delete;
  NodesOwn& operator=(const NodesOwn&) = delete;

  void UndoSignals();
  void UndoDescriptors(const Elements<int32_t>& kept);
  void UndoLimit(uint64_t descriptors_max);

 private:
  struct Changed {
    int descriptor;
    int setter;
    int flags;
  };

  void Clear(int descriptor, int getter, int setter, int flag);

  // Each change is noted before it is made: room for the note may be refused.
  std::vector<int> ignored_;
  sigset_t mask_;
  std::vector<Changed> changed_;
  struct rlimit limit_ = {};
};

void SetHandler(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

NodesOwn::NodesOwn() {
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
}

NodesOwn::~NodesOwn() {
  for (int signal : ignored_) SetHandler(signal, SIG_IGN);
  pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  for (const Changed& changed : changed_) {
    fcntl(changed.descriptor, changed.setter, changed.flags);
  }
  if (limit_.rlim_max != 0) setrlimit(RLIMIT_NOFILE, &limit_);
}

/** Node ignores SIGPIPE and SIGXFSZ; handlers are the kernel's to reset. */
void NodesOwn::UndoSignals() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_IGN) continue;
    ignored_.push_back(signal);
    SetHandler(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

/** Node makes its standard streams non-blocking, and all that it inherits close when a program
 *  starts. */
void NodesOwn::UndoDescriptors(const Elements<int32_t>& kept) {
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
    Clear(standard, F_GETFL, F_SETFL, O_NONBLOCK);
    Clear(standard, F_GETFD, F_SETFD, FD_CLOEXEC);
  }
  for (size_t index = 0; index < kept.length; ++index) {
    Clear(kept.data[index], F_GETFD, F_SETFD, FD_CLOEXEC);
  }
}

/** Node raises its soft limit of descriptors as far as it may. */
void NodesOwn::UndoLimit(uint64_t descriptors_max) {
  if (getrlimit(RLIMIT_NOFILE, &limit_) != 0) limit_ = {};
  struct rlimit limit = limit_;
  if (descriptors_max == 0 || descriptors_max > limit.rlim_max) return;
  limit.rlim_cur = descriptors_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void NodesOwn::Clear(int descriptor, int getter, int setter, int flag) {
  const int flags = fcntl(descriptor, getter);
  if (flags < 0 || (flags & flag) == 0) return;
  changed_.push_back({descriptor, setter, flags});
  fcntl(descriptor, setter, flags & ~flag);
}

SyscallResult CallExecve(const ExecveArguments& arguments) {
  NodesOwn own;
  own.UndoSignals();
  own.UndoDescriptors(arguments.kept);
  own.UndoLimit(arguments.descriptors_max);
  return SyscallResult::Capture(execve(arguments.path, arguments.argv.data(), environ), "execve");
}

/** Bytes of strings that each end in a zero byte, of which there is at least one. */
Elements<char> DecodeStrings(Arguments* arguments, napi_env env, const char* name) {
  void* data = nullptr;
  size_t length = 0;
  if (!ReadTypedArray(env, arguments->Next(), napi_uint8_array, &data, &length)) {
    arguments->RefuseType(name, "a Uint8Array");
    return {};
  }
  char* const bytes = static_cast<char*>(data);
  if (length == 0 || bytes[length - 1] != '\0') {
    arguments->RefuseRange(name, "strings that end in a zero byte");
    return {};
  }
  return {bytes, length};
}

ExecveArguments Decode(Arguments* arguments, napi_env env) {
  ExecveArguments decoded;
  decoded.path = DecodeStrings(arguments, env, "path").data;
  const Elements<char> words = DecodeStrings(arguments, env, "argv");
  for (size_t start = 0, index = 0; index < words.length; ++index) {
    if (words.data[index] != '\0') continue;
    decoded.argv.push_back(words.data + start);
    start = index + 1;
  }
  decoded.argv.push_back(nullptr);
  decoded.kept = arguments->Int32s("kept");
  decoded.descriptors_max = arguments->Size("descriptorsMax");
  return decoded;
}

}  // namespace

/** execve(path, argv, kept, descriptorsMax): SyscallResult<never>, with this environment */
napi_value Execve(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const ExecveArguments decoded = Decode(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  return Failure(info.Env(), CallExecve(decoded));
}

}  // namespace node_numa
