// proc_pid_pagemap(5): one 64-bit entry for each page of a process.
// Thread: the caller's; opens the file for each call, so threads share nothing.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/syscall_result.h"

namespace node_numa {

namespace {

struct PagemapArguments {
  int32_t pid;
  uint64_t address;
  Elements<uint64_t> entries;
};

SyscallResult CallOpen(int32_t pid, int* file) {
  char path[sizeof "/proc/-2147483648/pagemap"] = "/proc/self/pagemap";
  if (pid != 0) snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
  *file = open(path, O_RDONLY | O_CLOEXEC);
  return SyscallResult::Capture(*file, "open");
}

// Stops at the end of the address space; entries beyond stay 0, which is "not present".
SyscallResult CallPread(int file, const PagemapArguments& arguments) {
  const uint64_t page_size_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t begin = arguments.address / page_size_bytes * sizeof(uint64_t);
  const uint64_t length = arguments.entries.length * sizeof(uint64_t);
  char* const bytes = reinterpret_cast<char*>(arguments.entries.data);
  uint64_t done = 0;
  while (done < length) {
    const SyscallResult result = SyscallResult::Capture(
        pread(file, bytes + done, length - done, static_cast<off_t>(begin + done)), "pread");
    if (!result.Ok()) return result;
    if (result.value == 0) break;
    done += static_cast<uint64_t>(result.value);
  }
  return {};
}

}  // namespace

/** pagemap(pid, address, entries): SyscallResult<undefined>; fills the array; pid 0: this one */
napi_value Pagemap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  PagemapArguments decoded;
  decoded.pid = arguments.Bits32("pid");
  decoded.address = arguments.Address("address");
  decoded.entries = arguments.BigUint64s("entries");
  if (!arguments.Valid()) return {};

  int file;
  const SyscallResult opened = CallOpen(decoded.pid, &file);
  if (!opened.Ok()) return Failure(info.Env(), opened);
  const SyscallResult result = CallPread(file, decoded);
  close(file);
  return ToJs(info.Env(), result);
}

}  // namespace node_numa
