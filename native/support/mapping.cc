#include "mapping.h"

#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

namespace node_numa {

namespace {

struct Slot {
  uint32_t generation = 1;
  size_t owner_count = 0;
  std::weak_ptr<Mapping> mapping;
};

struct Table {
  std::mutex mutex;
  // Invariant: a slot is in use, or its id is in `free_ids`, never both.
  std::vector<Slot> slots;
  std::vector<uint32_t> free_ids;
};

// Never destroyed: threads of the pool may outlive the process's static objects.
Table& TheTable() {
  static Table* const table = new Table;
  return *table;
}

}  // namespace

Mapping::~Mapping() {
  // SAFETY: whoever else shares the addresses can no longer get hold of the memory, and no new one
  // can come: shares of addresses are had from shares of memory.
  if (addresses.use_count() > 1) addresses->Empty();
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  Slot& slot = table.slots[id];
  slot.mapping.reset();
  slot.generation += 1;
  table.free_ids.push_back(id);
}

OwnerShare AdoptMapping(MappedMemory memory) {
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  if (table.free_ids.empty()) {
    // Room for its return, too: giving memory back must not need any.
    table.free_ids.reserve(table.slots.size() + 1);
    table.slots.emplace_back();
    table.free_ids.push_back(static_cast<uint32_t>(table.slots.size() - 1));
  }
  const uint32_t id = table.free_ids.back();
  Slot& slot = table.slots[id];
  MappingShare share(new Mapping(std::move(memory), id, slot.generation));
  table.free_ids.pop_back();
  slot.owner_count = 1;
  slot.mapping = share;
  return OwnerShare(std::move(share));
}

SyscallResult MoveMapping(const OwnerShare& owner, long view_share_count, const MoveMemory& move,
                          size_t length_bytes) {
  const MappingShare& mapping = owner.Get();
  AddressShare before;
  {
    Table& table = TheTable();
    const std::lock_guard<std::mutex> lock(table.mutex);
    // SAFETY: shares come of owners and views, both of this thread alone where these are all that
    // there are, or of the table, which is locked.
    if (table.slots[mapping->id].owner_count != 1 || mapping.use_count() != 1 + view_share_count) {
      return SyscallResult::Failed(EBUSY, "mremap");
    }
    MappedMemory made;
    const SyscallResult result = move(*mapping, length_bytes, &made);
    if (!result.Ok()) return result;
    before = std::move(mapping->addresses);
    mapping->addresses = std::move(made.addresses);
    mapping->address = made.address;
    mapping->length_bytes = made.length_bytes;
  }
  if (before.use_count() > 1) before->Empty();
  return {};
}

OwnerShare AttachMapping(uint64_t id, uint64_t generation) {
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  if (id >= table.slots.size()) return {};
  Slot& slot = table.slots[id];
  if (slot.generation != generation || slot.owner_count == 0) return {};
  // An owner drops its share only after it is no longer counted, so this one is never the last and
  // the mapping cannot be destroyed, and lock the table again, in here.
  slot.owner_count += 1;
  return OwnerShare(slot.mapping.lock());
}

void OwnerShare::Drop() {
  if (share_ == nullptr) return;
  const MappingShare dropped = std::move(share_);
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  table.slots[dropped->id].owner_count -= 1;
}

}  // namespace node_numa
