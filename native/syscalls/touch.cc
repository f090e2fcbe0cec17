// Faults pages in by one access to each. Not a system call, but the way to ask for a page fault.
// Thread: the caller's, because a fault obeys the policy and the CPU of the thread that takes it.

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapped_part.h"
#include "../support/populate.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct TouchArguments {
  MappedPart part;
  bool write;
};

void ReadByte(unsigned char* byte) {
  const volatile unsigned char* const source = byte;
  (void)*source;
}

// One atomic store that leaves the value as it is, so that no other thread's write is lost. The
// zero is hidden from the compiler, which may replace "or with 0" by a load.
void WriteByte(unsigned char* byte) {
  unsigned char zero = 0;
  __asm__ volatile("" : "+r"(zero));
  __atomic_fetch_or(byte, zero, __ATOMIC_RELAXED);
}

// A page that cannot be had is an errno here, where an access of our own would end the process.
// False where the access is to be made: the kernel has no such call (before Linux 5.14), or a file
// has ended, where it finds zeros (file_watch.h).
bool IsPopulated(const TouchArguments& arguments, SyscallResult* result) {
  const MappedPart& part = arguments.part;
  *result =
      SyscallResult::Capture(madvise(reinterpret_cast<void*>(part.Begin()),
                                     part.End() - part.Begin(), PopulateAdvice(arguments.write)),
                             "touch");
  if (result->Ok()) return true;
  if (result->error == EINVAL) return false;
  const Backing* const backing = part.mapping->backing.get();
  return backing == nullptr || !backing->watch.IsShorterThan(part.offset_bytes + part.length_bytes);
}

SyscallResult CallTouch(const TouchArguments& arguments) {
  const MappedPart& part = arguments.part;
  if (part.Error() != 0) return SyscallResult::Failed(part.Error(), "touch");
  if (part.length_bytes == 0) return {};
  SyscallResult result;
  if (part.mapping->may_lack_pages && IsPopulated(arguments, &result)) return result;
  const uint64_t page_size_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  for (uintptr_t address = part.Begin(); address < part.End(); address += page_size_bytes) {
    unsigned char* const byte = reinterpret_cast<unsigned char*>(address);
    if (arguments.write) {
      WriteByte(byte);
    } else {
      ReadByte(byte);
    }
  }
  return {};
}

}  // namespace

/** touch(owner, offsetBytes, lengthBytes, access): SyscallResult<undefined> */
napi_value Touch(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  TouchArguments decoded;
  decoded.part = DecodePart(&arguments, info.Env());
  decoded.write = arguments.IsWrite("access");
  if (!arguments.Valid()) return {};
  return ToJs(info.Env(), CallTouch(decoded));
}

}  // namespace node_numa
