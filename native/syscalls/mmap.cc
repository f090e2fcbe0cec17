// mmap(2): anonymous memory, huge pages of a pool, memory with a descriptor (memfd_create(2)),
// files. Thread: the caller's. What gives memory or addresses back runs where the last share is
// dropped.

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "../addon.h"
#include "../support/address_range.h"
#include "../support/arguments.h"
#include "../support/mapping_owner.h"
#include "../support/private_memory.h"
#include "../support/syscall_result.h"
#include "../support/view.h"

namespace node_numa {

namespace {

struct MmapArguments {
  size_t length_bytes = 0;
  // A power of two; 0 for that of a page.
  size_t alignment_bytes = 0;
  // A power of two; 0 for memory outside of pools.
  size_t huge_page_bytes = 0;
  bool is_shared = false;
  // -1 for none.
  int descriptor = -1;
  uint64_t offset_bytes = 0;
};

// Older headers than the kernel lack it: since Linux 6.3, and asked for where vm.memfd_noexec is 2.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

// As both calls want it: MAP_HUGE_SHIFT is MFD_HUGE_SHIFT.
unsigned int HugeSizeBits(size_t huge_page_bytes) {
  return static_cast<unsigned int>(__builtin_ctzll(huge_page_bytes)) << MFD_HUGE_SHIFT;
}

/** Closes a descriptor unless somebody has taken it over. */
class OwnDescriptor {
 public:
  explicit OwnDescriptor(int number) : number_(number) {}
  ~OwnDescriptor() {
    if (number_ >= 0) Close(number_);
  }
  OwnDescriptor(const OwnDescriptor&) = delete;
  OwnDescriptor& operator=(const OwnDescriptor&) = delete;

  static void Close(int number) { close(number); }
  int Get() const { return number_; }
  void HandOver() { number_ = -1; }

 private:
  int number_;
};

// Of a fixed length: whoever has the descriptor can rely on every byte.
SyscallResult NewShared(const MmapArguments& arguments, int* made) {
  const bool is_huge = arguments.huge_page_bytes > 0;
  const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING |
                             (is_huge ? MFD_HUGETLB | HugeSizeBits(arguments.huge_page_bytes) : 0);
  int number = memfd_create("node-numa", flags | MFD_NOEXEC_SEAL);
  if (number < 0 && errno == EINVAL) number = memfd_create("node-numa", flags);
  if (number < 0) return SyscallResult::Capture(-1, "memfd_create");
  OwnDescriptor descriptor(number);
  const size_t length_bytes =
      is_huge ? RoundUp(arguments.length_bytes, arguments.huge_page_bytes) : arguments.length_bytes;
  if (ftruncate(number, static_cast<off_t>(length_bytes)) != 0) {
    return SyscallResult::Capture(-1, "ftruncate");
  }
  if (fcntl(number, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return SyscallResult::Capture(-1, "fcntl");
  }
  descriptor.HandOver();
  *made = number;
  return {};
}

// A descriptor of our own for what the caller's names: only files can be mapped safely. Devices
// can be, too, but what an access to one does is the device's to say.
SyscallResult OpenAgain(int descriptor, size_t* huge_page_bytes, int* made) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return SyscallResult::Capture(-1, "fstat");
  if (!S_ISREG(status.st_mode)) return SyscallResult::Failed(ENODEV, "mmap");
  struct statfs system;
  if (fstatfs(descriptor, &system) != 0) return SyscallResult::Capture(-1, "fstatfs");
  if (system.f_type == HUGETLBFS_MAGIC) *huge_page_bytes = static_cast<size_t>(system.f_bsize);
  *made = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  return SyscallResult::Capture(*made, "fcntl");
}

// Where the kernel likes: a mapping of a file is never joined with another's.
SyscallResult MapObject(const MmapArguments& arguments, int descriptor, MappedMemory* memory) {
  AddressShare taken(new AddressRange(&kRangeCalls));
  const size_t page_bytes = std::max(arguments.huge_page_bytes, PageBytes());
  const bool is_possible = arguments.length_bytes <= SIZE_MAX / 2;
  const size_t inner_bytes =
      is_possible ? RoundUp(arguments.length_bytes, page_bytes) : arguments.length_bytes;
  const unsigned int anonymous =
      descriptor >= 0 ? 0 : MAP_ANONYMOUS | MAP_HUGETLB | HugeSizeBits(page_bytes);
  const int flags = (arguments.is_shared ? MAP_SHARED : MAP_PRIVATE) | static_cast<int>(anonymous);
  OwnDescriptor closing(descriptor);
  void* const address = mmap(nullptr, inner_bytes, PROT_READ | PROT_WRITE, flags, descriptor,
                             static_cast<off_t>(arguments.offset_bytes));
  if (address == MAP_FAILED) return SyscallResult::Capture(-1, "mmap");
  taken->Take(static_cast<char*>(address), inner_bytes);
  if (descriptor >= 0) {
    const WatchedRange range{address, inner_bytes, page_bytes, descriptor, arguments.offset_bytes};
    memory->backing = std::make_unique<const Backing>(range, OwnDescriptor::Close);
    closing.HandOver();
  }
  memory->address = address;
  memory->may_lack_pages = true;
  memory->addresses = std::move(taken);
  return {};
}

SyscallResult CallMmap(MmapArguments arguments, MappedMemory* memory) {
  memory->length_bytes = arguments.length_bytes;
  int descriptor = -1;
  SyscallResult result;
  if (arguments.descriptor >= 0) {
    result = OpenAgain(arguments.descriptor, &arguments.huge_page_bytes, &descriptor);
  } else if (arguments.is_shared) {
    result = NewShared(arguments, &descriptor);
  } else if (arguments.huge_page_bytes == 0) {
    return MapPrivate({arguments.length_bytes, arguments.alignment_bytes, 0}, memory);
  }
  return result.Ok() ? MapObject(arguments, descriptor, memory) : result;
}

napi_value MapAndAnswer(napi_env env, const MmapArguments& decoded) {
  MappedMemory memory;
  SyscallResult result = CallMmap(decoded, &memory);
  if (result.error == ENOMEM && ReclaimAddresses(env)) result = CallMmap(decoded, &memory);
  if (!result.Ok()) return Failure(env, result);
  const int64_t charged_bytes = static_cast<int64_t>(decoded.length_bytes);
  return NewMappingOwner(env, AdoptMapping(std::move(memory)), charged_bytes, "mmap");
}

// The size of a huge page that the kernel may have or not; the shift of another number is none.
bool IsPowerOfTwo(size_t bytes) {
  return bytes != 0 && (bytes & (bytes - 1)) == 0;
}

size_t DecodePowerOfTwo(Arguments* arguments, const char* name) {
  const size_t bytes = arguments->Size(name);
  if (bytes != 0 && !IsPowerOfTwo(bytes)) arguments->RefuseRange(name, "0 or a power of two");
  return bytes;
}

}  // namespace

/** mmap(lengthBytes): SyscallResult<owner> */
napi_value Mmap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MmapArguments decoded;
  decoded.length_bytes = arguments.Size("lengthBytes");
  if (!arguments.Valid()) return {};
  return MapAndAnswer(info.Env(), decoded);
}

/**
 * mmap_with(lengthBytes, alignmentBytes, hugePageBytes, isShared, descriptor, offsetBytes):
 * SyscallResult<owner>; -1 for no descriptor, with which shared memory gets one
 */
napi_value MmapWith(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MmapArguments decoded;
  decoded.length_bytes = arguments.Size("lengthBytes");
  decoded.alignment_bytes = DecodePowerOfTwo(&arguments, "alignmentBytes");
  decoded.huge_page_bytes = DecodePowerOfTwo(&arguments, "hugePageBytes");
  decoded.is_shared = arguments.Bits32("isShared") != 0;
  decoded.descriptor = arguments.Bits32("descriptor");
  decoded.offset_bytes = arguments.Size("offsetBytes");
  if (!arguments.Valid()) return {};
  return MapAndAnswer(info.Env(), decoded);
}

/** page_size_bytes(): number */
napi_value PageSizeBytes(const Napi::CallbackInfo& info) {
  return Values(info.Env()).Number(static_cast<double>(PageBytes()));
}

}  // namespace node_numa
