// Faults pages in by one access to each. Not a system call, but the way to ask for a page fault.
// Thread: the caller's, because a fault obeys the policy and the CPU of the thread that takes it.

#include <unistd.h>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapping_owner.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct TouchArguments {
  MappingShare mapping;
  uint64_t offset_bytes;
  uint64_t length_bytes;
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

SyscallResult CallTouch(const TouchArguments& arguments) {
  const uint64_t mapping_bytes = arguments.mapping->length_bytes;
  if (arguments.offset_bytes > mapping_bytes ||
      arguments.length_bytes > mapping_bytes - arguments.offset_bytes) {
    return SyscallResult::Failed(ERANGE, "touch");
  }
  const uint64_t page_size_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  unsigned char* const bytes = static_cast<unsigned char*>(arguments.mapping->address);
  const uint64_t begin = arguments.offset_bytes / page_size_bytes * page_size_bytes;
  const uint64_t end = arguments.offset_bytes + arguments.length_bytes;
  if (arguments.length_bytes == 0) return {};
  for (uint64_t offset = begin; offset < end; offset += page_size_bytes) {
    if (arguments.write) {
      WriteByte(bytes + offset);
    } else {
      ReadByte(bytes + offset);
    }
  }
  return {};
}

}  // namespace

/** touch(owner, offsetBytes, lengthBytes, access): SyscallResult<undefined> */
napi_value Touch(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  TouchArguments decoded;
  decoded.mapping = OwnedMapping(&arguments, info.Env(), "mapping");
  decoded.offset_bytes = arguments.Size("offsetBytes");
  decoded.length_bytes = arguments.Size("lengthBytes");
  decoded.write = arguments.IsWrite("access");
  if (!arguments.Valid()) return {};

  if (decoded.mapping == nullptr) {
    return Failure(info.Env(), SyscallResult::Failed(ENOENT, "touch"));
  }
  return ToJs(info.Env(), CallTouch(decoded));
}

}  // namespace node_numa
