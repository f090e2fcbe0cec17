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
  TheTable();
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
  // Out of the table: it must not name what may become another thread's.
  node_ = table.extents.extract(begin_);
  // Without the lock: giving much memory back takes its time.
  lock.unlock();
  if (!calls_->empty(reinterpret_cast<char*>(begin_), node_.mapped().bytes)) {
    begin_ = 0;
    return;
  }
  lock.lock();
  node_.mapped().state = Extent::State::kEmpty;
  table.extents.insert(std::move(node_));
}

AddressRange::Forgotten AddressRange::Forget() {
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  node_ = table.extents.extract(begin_);
  begin_ = 0;
  return {reinterpret_cast<char*>(node_.key()), node_.mapped().bytes};
}

AddressRange::~AddressRange() {
  if (begin_ == 0) return;
  Table& table = TheTable();
  std::unique_lock<std::mutex> lock(table.mutex);
  const Extents::iterator own = table.extents.find(begin_);
  const size_t own_bytes = own->second.bytes;
  const bool is_used = own->second.state == Extent::State::kUsed;
  own->second.state = Extent::State::kUnneeded;
  const Extents::iterator extent = Joined(&table.extents, own);
  if (!is_used && IsEnclosed(table.extents, extent)) return;
  // Out of the table first: another thread may have the addresses as soon as they are unmapped.
  node_ = table.extents.extract(extent);
  lock.unlock();
  if (calls_->unmap(reinterpret_cast<char*>(node_.key()), node_.mapped().bytes)) return;
  // The limit on mappings, which a hole may exceed: a neighbour that goes will take it along.
  if (is_used && !calls_->empty(reinterpret_cast<char*>(begin_), own_bytes)) return;
  lock.lock();
  Joined(&table.extents, table.extents.insert(std::move(node_)).position);
}

/** What waits is one extent, so there is at most one on each side. */
AddressRange::Extents::iterator AddressRange::Joined(Extents* extents, Extents::iterator extent) {
  const auto is_followed = [&](Extents::iterator at, Extents::iterator next) {
    return next != extents->end() && next->second.state == Extent::State::kUnneeded &&
           at->second.state == Extent::State::kUnneeded &&
           at->first + at->second.bytes == next->first;
  };
  if (extent != extents->begin() && is_followed(std::prev(extent), extent)) --extent;
  for (Extents::iterator next = std::next(extent); is_followed(extent, next);) {
    extent->second.bytes += next->second.bytes;
    next = extents->erase(next);
  }
  return extent;
}

// The kernel joins empty ranges next to each other to one mapping. A hole in the middle would make
// two of it, and any number of holes would exceed the limit on mappings; so a range that has empty
// ones on both sides waits for one of them.
bool AddressRange::IsEnclosed(const Extents& extents, Extents::const_iterator extent) {
  const auto is_empty = [](Extents::const_iterator at) {
    return at->second.state == Extent::State::kEmpty;
  };
  const auto meet = [](Extents::const_iterator at, Extents::const_iterator next) {
    return at->first + at->second.bytes == next->first;
  };
  const Extents::const_iterator next = std::next(extent);
  if (extent == extents.begin() || next == extents.end()) return false;
  const Extents::const_iterator previous = std::prev(extent);
  return is_empty(previous) && meet(previous, extent) && is_empty(next) && meet(extent, next);
}

}  // namespace node_numa
