// Addresses for copies of pages, until mremap(2) has taken the copies away. What was taken leaves a
// hole, which may be anybody's a moment later: it is never touched again.
#ifndef NODE_NUMA_COPY_SCRATCH_H_
#define NODE_NUMA_COPY_SCRATCH_H_

#include <cstddef>
#include <cstdint>

namespace node_numa {

class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /**
   * One mapping for the copies of a range: what is moved away from it part by part is one mapping
   * again at its new place. Its addresses differ from the range's by a multiple of a huge page, and
   * by `shift_bytes`: with a shift no huge page of the copy fits one of the range.
   * @return 0, or the errno of mmap(2), mprotect(2) or madvise(2)
   */
  int Map(uintptr_t begin, size_t bytes, size_t shift_bytes, int advice);

  bool IsMapped() const { return outer_end_ != 0; }
  /** Where the copy of an address of the range is. */
  uintptr_t Of(uintptr_t address) const { return address - begin_ + inner_; }
  /** Gives what lies in front of an address back. */
  void DropBefore(uintptr_t address);
  /** What lies in front of an address is ours no more. */
  void WasTakenBefore(uintptr_t address) { owned_ = address; }

 private:
  uintptr_t begin_ = 0;
  uintptr_t inner_ = 0;
  // From there on it is ours.
  uintptr_t owned_ = 0;
  uintptr_t outer_end_ = 0;
};

}  // namespace node_numa

#endif  // NODE_NUMA_COPY_SCRATCH_H_
