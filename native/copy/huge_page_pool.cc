#include "huge_page_pool.h"

#include <sys/mman.h>

#include <algorithm>

#include "page_sizes.h"

namespace node_numa {

using Lock = std::lock_guard<std::mutex>;

// Never taken apart: threads may be at work when the process ends.
HugePagePool& HugePagePool::OfProcess() {
  static HugePagePool* const pool = new HugePagePool;
  return *pool;
}

uintptr_t HugePagePool::Take(int32_t node, int advice) {
  const Lock lock(mutex_);
  Slot* first = nullptr;
  for (Slot& slot : slots_) {
    const bool fits = slot.state == State::kKept && slot.node == node && slot.advice == advice;
    if (fits && (first == nullptr || slot.turn < first->turn)) first = &slot;
  }
  if (first == nullptr) return 0;
  first->state = State::kUsed;
  return first->address;
}

uintptr_t HugePagePool::Room() {
  const Lock lock(mutex_);
  if (!is_reserved_ && !Reserve()) return 0;
  const auto free = std::find_if(slots_.begin(), slots_.end(),
                                 [](const Slot& slot) { return slot.state == State::kFree; });
  if (free == slots_.end()) return 0;
  free->state = State::kUsed;
  return free->address;
}

void HugePagePool::Keep(uintptr_t address, int32_t node, int advice) {
  const Lock lock(mutex_);
  *SlotOf(address) = {address, State::kKept, node, advice, ++turn_};
}

void HugePagePool::Drop(uintptr_t address) {
  const Lock lock(mutex_);
  Empty(SlotOf(address));
}

void HugePagePool::Lose(uintptr_t address) {
  const Lock lock(mutex_);
  SlotOf(address)->state = State::kLost;
}

bool HugePagePool::IsEmpty() {
  const Lock lock(mutex_);
  return std::none_of(slots_.begin(), slots_.end(),
                      [](const Slot& slot) { return slot.state == State::kKept; });
}

void HugePagePool::GiveBack() {
  const Lock lock(mutex_);
  for (Slot& slot : slots_) {
    if (slot.state == State::kKept) Empty(&slot);
  }
}

// Once, and for good: addresses without memory cost nothing. Where a huge page is larger than the
// whole pool there is none.
bool HugePagePool::Reserve() {
  const size_t huge_bytes = HugePageBytes();
  const size_t count = kBytesMax / huge_bytes;
  if (count == 0) return false;
  const size_t bytes = (count + 1) * huge_bytes;
  void* const mapped =
      mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return false;
  is_reserved_ = true;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(mapped) / huge_bytes + 1) * huge_bytes;
  // The rest keeps the last page from being one mapping with a neighbour.
  for (size_t index = 0; index < count; ++index) {
    slots_.push_back({begin + index * huge_bytes, State::kFree, 0, -1, 0});
  }
  return true;
}

HugePagePool::Slot* HugePagePool::SlotOf(uintptr_t address) {
  return &*std::find_if(slots_.begin(), slots_.end(),
                        [address](const Slot& slot) { return slot.address == address; });
}

// The mapping stays: one in its place might fail, and leave addresses to others.
void HugePagePool::Empty(Slot* slot) {
  madvise(reinterpret_cast<void*>(slot->address), HugePageBytes(), MADV_DONTNEED);
  slot->state = State::kFree;
}

}  // namespace node_numa
