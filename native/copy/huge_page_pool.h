// Huge pages that were somebody's until copies took their place, to be the next copies: the kernel
// clears each fresh page, up to twice, and that takes longer than the copy. Whoever takes one
// overwrites all of it before anybody else can see it. Of the process; any thread may use it.
#ifndef NODE_NUMA_COPY_HUGE_PAGE_POOL_H_
#define NODE_NUMA_COPY_HUGE_PAGE_POOL_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace node_numa {

class HugePagePool {
 public:
  /** What all of its pages have together. */
  static constexpr size_t kBytesMax = size_t{64} << 20;

  static HugePagePool& OfProcess();

  /** A page that was kept for a node, of memory with that advice; 0 for none. */
  uintptr_t Take(int32_t node, int advice);
  /** Addresses without memory for one page more; 0 where there are none. */
  uintptr_t Room();
  /** For both: there is a page to be kept now. */
  void Keep(uintptr_t address, int32_t node, int advice);
  /** For both: there is nothing to be kept, and the memory goes back. */
  void Drop(uintptr_t address);
  /** For both: the addresses may be somebody else's. */
  void Lose(uintptr_t address);

  bool IsEmpty();
  /** Gives the memory of all pages back that nobody has taken. */
  void GiveBack();

 private:
  enum class State : unsigned char { kFree, kUsed, kKept, kLost };
  struct Slot {
    uintptr_t address;
    State state;
    int32_t node;
    int advice;
    // Pages that were side by side are taken in that order: they become one mapping again.
    uint64_t turn;
  };

  bool Reserve();
  Slot* SlotOf(uintptr_t address);
  static void Empty(Slot* slot);

  std::mutex mutex_;
  std::vector<Slot> slots_;
  uint64_t turn_ = 0;
  bool is_reserved_ = false;
};

}  // namespace node_numa

#endif  // NODE_NUMA_COPY_HUGE_PAGE_POOL_H_
