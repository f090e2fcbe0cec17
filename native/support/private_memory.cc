#include "private_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace node_numa {

namespace {

bool Unmap(char* begin, size_t bytes) {
  return munmap(begin, bytes) == 0;
}

bool MapAt(char* begin, size_t bytes, int protection, int how) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | how;
  return mmap(begin, bytes, protection, flags, -1, 0) != MAP_FAILED;
}

void Discard(char* begin, size_t bytes) {
  if (madvise(begin, bytes, MADV_DONTNEED) == 0) return;
  // Locked, as all that is mapped after mlockall(MCL_FUTURE): such pages are there from the start.
  munlock(begin, bytes);
  madvise(begin, bytes, MADV_DONTNEED);
}

// Fresh memory in place of what was there, guards included: neighbours of the same kind are one
// mapping to the kernel, and it takes nothing until it is written. Without access it would be no
// harm to others, but a thread of Node's that writes there would end the process.
//
// The kernel removes what was there before it has all that the new mapping needs, and where it then
// runs out of memory it leaves a hole, which another thread may fill. Nobody can tell from outside
// whose the addresses are then. So memory is given back while they are ours for certain, and what
// could be refused is asked for first; where it is, what was there goes on without its memory.
// Source: __mmap_region() of mm/vma.c; before Linux 6.12 mmap_region() of mm/mmap.c, where the
// limit of committed memory leaves a hole, too.
bool Empty(char* begin, size_t bytes) {
  Discard(begin, bytes);
  // Commits the guards as the new mapping will, and leaves no mapping to be split at the ends.
  if (mprotect(begin, bytes, PROT_READ | PROT_WRITE) != 0) return true;
  // With room for a mapping, the refusal is that there is one.
  if (MapAt(begin, bytes, PROT_NONE, MAP_FIXED_NOREPLACE) || errno != EEXIST) return true;
  if (MapAt(begin, bytes, PROT_READ | PROT_WRITE, MAP_FIXED)) {
    Discard(begin, bytes);
    return true;
  }
  if (errno != ENOMEM) return true;
  for (const int protection : {PROT_READ | PROT_WRITE, PROT_NONE}) {
    if (MapAt(begin, bytes, protection, MAP_FIXED_NOREPLACE)) return true;
  }
  return false;
}

}  // namespace

const RangeCalls kRangeCalls = {Unmap, Empty};

size_t PageBytes() {
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t RoundUp(size_t bytes, size_t unit_bytes) {
  return (bytes + unit_bytes - 1) / unit_bytes * unit_bytes;
}

// A page without access on each side keeps the kernel from joining the mapping with a neighbour:
// in one mapping a huge page may span both, and would take the neighbour's pages along.
SyscallResult MapPrivate(const PrivateMemory& wanted, MappedMemory* memory) {
  AddressShare taken(new AddressRange(&kRangeCalls));
  const size_t guard_bytes = PageBytes();
  // The kernel's own answers to what cannot be mapped at all.
  const bool is_possible = wanted.length_bytes > 0 && wanted.length_bytes <= SIZE_MAX / 2;
  const size_t inner_bytes = is_possible ? RoundUp(wanted.length_bytes, PageBytes()) : 0;
  const size_t alignment_bytes = std::max(wanted.alignment_bytes, PageBytes());
  const size_t outer_bytes = is_possible
                                 ? inner_bytes + 2 * guard_bytes + alignment_bytes - PageBytes()
                                 : wanted.length_bytes;
  void* const outer = mmap(nullptr, outer_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (outer == MAP_FAILED) return SyscallResult::Capture(-1, "mmap");
  // Where the next call is refused, munmap(2) may be, too: the range knows what to do then.
  taken->Take(static_cast<char*>(outer), outer_bytes);
  const uintptr_t first = reinterpret_cast<uintptr_t>(outer) + guard_bytes - wanted.phase_bytes;
  memory->address = reinterpret_cast<void*>(RoundUp(first, alignment_bytes) + wanted.phase_bytes);
  memory->length_bytes = wanted.length_bytes;
  const SyscallResult result = SyscallResult::Capture(
      mprotect(memory->address, inner_bytes, PROT_READ | PROT_WRITE), "mmap");
  if (result.Ok()) memory->addresses = std::move(taken);
  return result;
}

void LeaveHole(MappedMemory* memory, size_t hole_bytes) {
  const AddressRange::Forgotten range = memory->addresses->Forget();
  memory->addresses.reset();
  char* const hole = static_cast<char*>(memory->address);
  Unmap(range.begin, static_cast<size_t>(hole - range.begin));
  Unmap(hole + hole_bytes, static_cast<size_t>(range.begin + range.bytes - hole) - hole_bytes);
}

}  // namespace node_numa
