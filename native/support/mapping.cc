#include "mapping.h"

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
  unmap_(address, length_bytes);
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  Slot& slot = table.slots[id];
  slot.mapping.reset();
  slot.generation += 1;
  table.free_ids.push_back(id);
}

MappingShare AdoptMapping(void* address, size_t length_bytes, UnmapFunction unmap) {
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  if (table.free_ids.empty()) {
    table.free_ids.push_back(static_cast<uint32_t>(table.slots.size()));
    table.slots.emplace_back();
  }
  const uint32_t id = table.free_ids.back();
  table.free_ids.pop_back();
  Slot& slot = table.slots[id];
  MappingShare share = std::make_shared<Mapping>(address, length_bytes, unmap, id, slot.generation);
  slot.owner_count = 1;
  slot.mapping = share;
  return share;
}

MappingShare AttachMapping(uint64_t id, uint64_t generation) {
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  if (id >= table.slots.size()) return nullptr;
  Slot& slot = table.slots[id];
  if (slot.generation != generation || slot.owner_count == 0) return nullptr;
  // An owner drops its share only after it is no longer counted, so this one is never the last and
  // the mapping cannot be destroyed, and lock the table again, in here.
  slot.owner_count += 1;
  return slot.mapping.lock();
}

void DropOwner(MappingShare* share) {
  const MappingShare dropped = std::move(*share);
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  table.slots[dropped->id].owner_count -= 1;
}

}  // namespace node_numa
