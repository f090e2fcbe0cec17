// A test's own addon and, in LD_PRELOAD, what comes before the C library: refuses what the addon
// asks for, the way the kernel and the allocator do where memory ends.

#include <dlfcn.h>
#include <fcntl.h>
#include <napi.h>
#include <numaif.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#define REFUSALS_VISIBLE __attribute__((visibility("default")))

namespace {

/** What becomes of the old mapping where mmap(MAP_FIXED) or mremap(MREMAP_FIXED) is refused. */
enum class Replacing { kAllowed, kLeavesAll, kLeavesHole, kLeavesHoleThatIsTaken };

struct Refusals {
  // Allocations that are still made; -1 for all.
  long allocations_left = -1;
  Replacing replacing = Replacing::kAllowed;
  // All new mappings, as at the limit on their number.
  bool mapping = false;
  bool protecting = false;
  int unmapping_count = 0;
  // System calls that still reach the kernel, of those that are counted here; -1 for all.
  long calls_left = -1;
  // Of any kind.
  int count = 0;
};

Refusals refusals;

constexpr unsigned char kOthersByte = 0x5a;

bool IsFromAddon(const void* caller) {
  Dl_info library;
  return dladdr(caller, &library) != 0 && strstr(library.dli_fname, "node_numa.node") != nullptr;
}

bool IsRefusedAllocation(const void* caller) {
  if (refusals.allocations_left < 0 || !IsFromAddon(caller)) return false;
  refusals.allocations_left -= 1;
  if (refusals.allocations_left >= 0) return false;
  refusals.count += 1;
  return true;
}

/** One system call in the middle of many: its errno is set. */
bool IsRefusedCall(const void* caller) {
  if (refusals.calls_left < 0 || !IsFromAddon(caller)) return false;
  refusals.calls_left -= 1;
  if (refusals.calls_left >= 0) return false;
  refusals.count += 1;
  errno = ENOMEM;
  return true;
}

void* Allocate(size_t bytes, const void* caller) {
  void* const memory = IsRefusedAllocation(caller) ? nullptr : malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* AllocateOrNull(size_t bytes, const void* caller) noexcept {
  return IsRefusedAllocation(caller) ? nullptr : malloc(bytes == 0 ? 1 : bytes);
}

void* KernelMmap(void* address, size_t bytes, int protection, int flags, int file, off_t offset) {
  return reinterpret_cast<void*>(
      syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}

/** Another thread's memory, with bytes that it would miss. */
void Take(void* address, size_t bytes) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  void* const taken = KernelMmap(address, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (taken != MAP_FAILED) memset(taken, kOthersByte, bytes);
}

void* RefuseMmap() {
  refusals.count += 1;
  errno = ENOMEM;
  return MAP_FAILED;
}

void* Mmap(void* address, size_t bytes, int protection, int flags, int file, off_t offset,
           const void* caller) {
  if (IsRefusedCall(caller)) return MAP_FAILED;
  const bool is_replacing = (flags & MAP_FIXED) != 0 && refusals.replacing != Replacing::kAllowed;
  if ((is_replacing || refusals.mapping) && IsFromAddon(caller)) {
    if (refusals.mapping) return RefuseMmap();
    if (refusals.replacing != Replacing::kLeavesAll) syscall(SYS_munmap, address, bytes);
    if (refusals.replacing == Replacing::kLeavesHoleThatIsTaken) Take(address, bytes);
    return RefuseMmap();
  }
  return KernelMmap(address, bytes, protection, flags, file, offset);
}

}  // namespace

REFUSALS_VISIBLE void* operator new(size_t bytes) {
  return Allocate(bytes, __builtin_return_address(0));
}

REFUSALS_VISIBLE void* operator new[](size_t bytes) {
  return Allocate(bytes, __builtin_return_address(0));
}

REFUSALS_VISIBLE void* operator new(size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return AllocateOrNull(bytes, __builtin_return_address(0));
}

REFUSALS_VISIBLE void* operator new[](size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return AllocateOrNull(bytes, __builtin_return_address(0));
}

REFUSALS_VISIBLE void operator delete(void* memory) noexcept {
  free(memory);
}

REFUSALS_VISIBLE void operator delete[](void* memory) noexcept {
  free(memory);
}

REFUSALS_VISIBLE void operator delete(void* memory, size_t /*bytes*/) noexcept {
  free(memory);
}

REFUSALS_VISIBLE void operator delete[](void* memory, size_t /*bytes*/) noexcept {
  free(memory);
}

extern "C" {

// By the name that the headers give it (mmap64), as in the addon.
REFUSALS_VISIBLE void* mmap(void* address, size_t bytes, int protection, int flags, int file,
                            off_t offset) {
  const void* const caller = __builtin_return_address(0);
  return Mmap(address, bytes, protection, flags, file, offset, caller);
}

REFUSALS_VISIBLE int mprotect(void* address, size_t bytes, int protection) {
  if (IsRefusedCall(__builtin_return_address(0))) return -1;
  if (refusals.protecting && IsFromAddon(__builtin_return_address(0))) {
    refusals.count += 1;
    errno = ENOMEM;
    return -1;
  }
  return static_cast<int>(syscall(SYS_mprotect, address, bytes, protection));
}

REFUSALS_VISIBLE int munmap(void* address, size_t bytes) {
  if (refusals.unmapping_count > 0 && IsFromAddon(__builtin_return_address(0))) {
    refusals.unmapping_count -= 1;
    refusals.count += 1;
    errno = ENOMEM;
    return -1;
  }
  return static_cast<int>(syscall(SYS_munmap, address, bytes));
}

REFUSALS_VISIBLE int madvise(void* address, size_t bytes, int advice) {
  if (IsRefusedCall(__builtin_return_address(0))) return -1;
  return static_cast<int>(syscall(SYS_madvise, address, bytes, advice));
}

REFUSALS_VISIBLE ssize_t pread(int file, void* bytes, size_t count, off_t offset) {
  if (IsRefusedCall(__builtin_return_address(0))) return -1;
  return syscall(SYS_pread64, file, bytes, count, offset);
}

REFUSALS_VISIBLE long mbind(void* address, unsigned long bytes, int mode,
                            const unsigned long* nodes, unsigned long maxnode, unsigned flags) {
  if (IsRefusedCall(__builtin_return_address(0))) return -1;
  return syscall(SYS_mbind, address, bytes, mode, nodes, maxnode, flags);
}

REFUSALS_VISIBLE long set_mempolicy(int mode, const unsigned long* nodes, unsigned long maxnode) {
  if (IsRefusedCall(__builtin_return_address(0))) return -1;
  return syscall(SYS_set_mempolicy, mode, nodes, maxnode);
}

REFUSALS_VISIBLE void* mremap(void* address, size_t bytes, size_t new_bytes, int flags, ...) {
  const void* const caller = __builtin_return_address(0);
  va_list more;
  va_start(more, flags);
  void* const target = va_arg(more, void*);
  va_end(more);
  if (IsRefusedCall(caller)) return MAP_FAILED;
  if (refusals.replacing != Replacing::kAllowed && IsFromAddon(caller)) {
    if (refusals.replacing != Replacing::kLeavesAll) syscall(SYS_munmap, target, bytes);
    if (refusals.replacing == Replacing::kLeavesHoleThatIsTaken) Take(target, bytes);
    return RefuseMmap();
  }
  return reinterpret_cast<void*>(syscall(SYS_mremap, address, bytes, new_bytes, flags, target));
}

}  // extern "C"

namespace {

/** refuse(what: string, count: number): void; 'nothing' ends all of them */
Napi::Value Refuse(const Napi::CallbackInfo& info) {
  const std::string what = info[0].As<Napi::String>().Utf8Value();
  const int count = info[1].IsNumber() ? info[1].As<Napi::Number>().Int32Value() : 0;
  const int so_far = refusals.count;
  if (what == "nothing") refusals = {};
  if (what == "nothing") refusals.count = so_far;
  if (what == "allocation") refusals.allocations_left = count;
  if (what == "mapping") refusals.mapping = true;
  if (what == "call") refusals.calls_left = count;
  if (what == "protecting") refusals.protecting = true;
  if (what == "unmapping") refusals.unmapping_count = count;
  if (what == "replacing") refusals.replacing = static_cast<Replacing>(count);
  return info.Env().Undefined();
}

/** count(): number; how much was refused so far */
Napi::Value Count(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), refusals.count);
}

}  // namespace

NAPI_MODULE_INIT() {
  Napi::Object entries(env, exports);
  entries.Set("refuse", Napi::Function::New<Refuse>(env, "refuse"));
  entries.Set("count", Napi::Function::New<Count>(env, "count"));
  return entries;
}
