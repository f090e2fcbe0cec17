#include "address_range.h"

#include <iterator>
#include <mutex>
#include <utility>

namespace node_numa {

struct AddressRange::Table {
  std::mutex mutex;
  Extents extents;
};

// Never destroyed: threads of the pool may outlive the process's static objects.
AddressRange::Table& AddressRange::TheTable() {
  static Table* const table = new Table;
  return *table;
}

AddressRange::AddressRange(const RangeCalls* calls) : calls_(calls) {
  Extents one;
  one.emplace(0, Extent{0, Extent::State::kUsed});
  node_ = one.extract(one.begin());
}

void AddressRange::Take(char* begin, size_t bytes) {
  begin_ = reinterpret_cast<uintptr_t>(begin);
  node_.key() = begin_;
  node_.mapped().bytes = bytes;
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  table.extents.insert(std::move(node_));
}

void AddressRange::Empty() {
  Table& table = TheTable();
  std::unique_lock<std::mutex> lock(table.mutex);
  Extent& extent = table.extents.find(begin_)->second;
  const size_t bytes = extent.bytes;
  lock.unlock();
  // Without the lock: giving much memory back takes its time.
  calls_->empty(reinterpret_cast<char*>(begin_), bytes);
  lock.lock();
  extent.state = Extent::State::kEmpty;
}

AddressRange::~AddressRange() {
  if (begin_ == 0) return;
  Table& table = TheTable();
  std::unique_lock<std::mutex> lock(table.mutex);
  const Extents::iterator extent = table.extents.find(begin_);
  if (extent->second.state == Extent::State::kEmpty) {
    extent->second.state = Extent::State::kUnneeded;
    GiveBackWithNeighbours(calls_, &table.extents, extent);
    return;
  }
  // Out of the table first: another thread may have the addresses as soon as they are unmapped.
  node_ = table.extents.extract(extent);
  lock.unlock();
  char* const begin = reinterpret_cast<char*>(begin_);
  if (calls_->unmap(begin, node_.mapped().bytes)) return;
  // The limit on mappings, which a hole may exceed: a neighbour that goes will take it along.
  calls_->empty(begin, node_.mapped().bytes);
  lock.lock();
  node_.mapped().state = Extent::State::kUnneeded;
  table.extents.insert(std::move(node_));
}

// The kernel joins empty ranges next to each other to one mapping. A hole in the middle would make
// two of it, and any number of holes would exceed the limit on mappings; so a range that has empty
// ones on both sides waits for one of them.
void AddressRange::GiveBackWithNeighbours(const RangeCalls* calls, Extents* extents,
                                          Extents::iterator extent) {
  const auto ends_at = [](Extents::iterator at) { return at->first + at->second.bytes; };
  const auto is_unneeded = [](Extents::iterator at) {
    return at->second.state == Extent::State::kUnneeded;
  };
  // What waits is one extent, so there is at most one on each side.
  if (extent != extents->begin()) {
    const Extents::iterator before = std::prev(extent);
    if (is_unneeded(before) && ends_at(before) == extent->first) {
      before->second.bytes += extent->second.bytes;
      extents->erase(extent);
      extent = before;
    }
  }
  const Extents::iterator after = std::next(extent);
  if (after != extents->end() && is_unneeded(after) && ends_at(extent) == after->first) {
    extent->second.bytes += after->second.bytes;
    extents->erase(after);
  }
  const auto is_empty = [&](Extents::iterator at) {
    return at != extents->end() && at->second.state == Extent::State::kEmpty;
  };
  const Extents::iterator left = extent == extents->begin() ? extents->end() : std::prev(extent);
  const Extents::iterator right = std::next(extent);
  const bool is_enclosed = is_empty(left) && ends_at(left) == extent->first && is_empty(right) &&
                           ends_at(extent) == right->first;
  if (!is_enclosed && calls->unmap(reinterpret_cast<char*>(extent->first), extent->second.bytes)) {
    extents->erase(extent);
  }
}

}  // namespace node_numa
