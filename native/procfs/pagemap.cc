// proc_pid_pagemap(5): one 64-bit entry for each page of a process; and PAGEMAP_SCAN(2const), which
// finds the pages that are there and passes over what has no page tables.
// Thread: the caller's; opens the file for each call, so threads share nothing.

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
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

// Source: include/uapi/linux/fs.h of Linux 6.7; the headers of the build may be older.
struct ScanArgument {
  uint64_t size;
  uint64_t flags;
  uint64_t start;
  uint64_t end;
  uint64_t walk_end;
  uint64_t vec;
  uint64_t vec_len;
  uint64_t max_pages;
  uint64_t category_inverted;
  uint64_t category_mask;
  uint64_t category_anyof_mask;
  uint64_t return_mask;
};

constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArgument);
#ifdef PAGEMAP_SCAN
static_assert(kPagemapScan == PAGEMAP_SCAN, "the kernel's own number");
#endif

/** A region that was found: start, end, categories. */
constexpr size_t kRegionWords = 3;

struct PagemapScanArguments {
  int32_t pid;
  uint64_t address;
  uint64_t page_count;
  uint64_t categories;
  uint64_t pages_max;
  Elements<uint64_t> regions;
  Elements<uint64_t> walk_end;
};

SyscallResult CallPagemapScan(int file, const PagemapScanArguments& arguments) {
  const uint64_t page_size_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  ScanArgument scan = {};
  scan.size = sizeof scan;
  scan.start = arguments.address;
  // Beyond any address space, which is EFAULT, rather than around it.
  const uint64_t page_count_max = (UINT64_MAX - arguments.address) / page_size_bytes;
  scan.end = arguments.page_count > page_count_max
                 ? UINT64_MAX
                 : arguments.address + arguments.page_count * page_size_bytes;
  scan.vec = reinterpret_cast<uint64_t>(arguments.regions.data);
  scan.vec_len = arguments.regions.length / kRegionWords;
  scan.max_pages = arguments.pages_max;
  scan.category_anyof_mask = arguments.categories;
  scan.return_mask = arguments.categories;
  const SyscallResult result = SyscallResult::Capture(ioctl(file, kPagemapScan, &scan), "ioctl");
  if (result.Ok() && arguments.walk_end.length > 0) *arguments.walk_end.data = scan.walk_end;
  return result;
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

/**
 * pagemap_scan(pid, address, pageCount, categories, pagesMax, regions, walkEnd):
 * SyscallResult<number>; fills both arrays, and tells the number of regions; pid 0: this one
 */
napi_value PagemapScan(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  PagemapScanArguments decoded;
  decoded.pid = arguments.Bits32("pid");
  decoded.address = arguments.Address("address");
  decoded.page_count = arguments.Size("pageCount");
  decoded.categories = arguments.Size("categories");
  decoded.pages_max = arguments.Size("pagesMax");
  decoded.regions = arguments.BigUint64s("regions");
  decoded.walk_end = arguments.BigUint64s("walkEnd");
  if (!arguments.Valid()) return {};

  int file;
  const SyscallResult opened = CallOpen(decoded.pid, &file);
  if (!opened.Ok()) return Failure(info.Env(), opened);
  const SyscallResult result = CallPagemapScan(file, decoded);
  close(file);
  return ToJsNumber(info.Env(), result);
}

}  // namespace node_numa
