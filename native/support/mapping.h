// The process-wide table of mappings. A mapping is memory: it lives while anything uses it (an
// owner, a live ArrayBuffer, a running call), and when the last share is dropped its pages are
// given back. Its addresses may be kept beyond that (address_range.h). A handle finds a mapping
// only while it has an owner.
#ifndef NODE_NUMA_SUPPORT_MAPPING_H_
#define NODE_NUMA_SUPPORT_MAPPING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "address_range.h"
#include "file_watch.h"
#include "syscall_result.h"

namespace node_numa {

/** The file behind a mapping: a descriptor of its own, which is closed with it. */
class Backing {
 public:
  Backing(const WatchedRange& range, void (*close)(int descriptor))
      : descriptor(range.descriptor), watch(range), close_(close) {}
  ~Backing() { close_(descriptor); }
  Backing(const Backing&) = delete;
  Backing& operator=(const Backing&) = delete;

  const int descriptor;
  const FileWatch watch;

 private:
  void (*const close_)(int descriptor);
};

/** What was mapped. */
struct MappedMemory {
  AddressShare addresses;
  /** Within the addresses. */
  void* address = nullptr;
  size_t length_bytes = 0;
  /** An access may find no page: of a pool, or of a file. */
  bool may_lack_pages = false;
  /** Null for memory without a file. */
  std::unique_ptr<const Backing> backing;
};

/** One mapped range. Changed only while it has one user (`MoveMapping`): threads may share it
 * freely. */
class Mapping {
 public:
  Mapping(MappedMemory memory, uint32_t id, uint32_t generation)
      : addresses(std::move(memory.addresses)),
        backing(std::move(memory.backing)),
        address(memory.address),
        length_bytes(memory.length_bytes),
        may_lack_pages(memory.may_lack_pages),
        id(id),
        generation(generation) {}
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /** Whether bytes lie within the length. */
  bool Covers(uint64_t offset_bytes, uint64_t range_bytes) const {
    return offset_bytes <= length_bytes && range_bytes <= length_bytes - offset_bytes;
  }

  AddressShare addresses;
  // Ends before the addresses do: another mapping may have them at once, with a watch of its own.
  const std::unique_ptr<const Backing> backing;
  void* address;
  size_t length_bytes;
  const bool may_lack_pages;
  const uint32_t id;
  const uint32_t generation;
};

/** Keeps a mapping's memory. */
using MappingShare = std::shared_ptr<Mapping>;

/** A share that counts as an owner's. */
class OwnerShare {
 public:
  OwnerShare() = default;
  /** For one that was counted already. */
  explicit OwnerShare(MappingShare share) : share_(std::move(share)) {}
  OwnerShare(OwnerShare&& other) noexcept : share_(std::move(other.share_)) {}
  OwnerShare& operator=(OwnerShare&&) = delete;
  ~OwnerShare() { Drop(); }

  /** Null for none. */
  const MappingShare& Get() const { return share_; }
  void Drop();

 private:
  MappingShare share_;
};

/** Puts memory elsewhere; on failure it is as it was. */
using MoveMemory =
    std::function<SyscallResult(const Mapping& from, size_t length_bytes, MappedMemory* made)>;

/**
 * Has `move` put the memory elsewhere, where its only shares are one owner's, and so many of views:
 * nobody gets another meanwhile. The addresses that it had are left without memory.
 */
SyscallResult MoveMapping(const OwnerShare& owner, long view_share_count, const MoveMemory& move,
                          size_t length_bytes);

/** Enters a fresh mapping with one owner. */
OwnerShare AdoptMapping(MappedMemory memory);

/** Adds an owner. None for a stale handle, an unknown one, or a mapping without owners. */
OwnerShare AttachMapping(uint64_t id, uint64_t generation);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_MAPPING_H_
