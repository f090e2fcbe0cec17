// The arrays that move_pages(2) takes, in memory of our own: JavaScript may change or detach its
// arrays while a call runs on another thread. One allocation for each call.
#ifndef NODE_NUMA_SUPPORT_PAGE_ARRAYS_H_
#define NODE_NUMA_SUPPORT_PAGE_ARRAYS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace node_numa {

class PageArrays {
 public:
  explicit PageArrays(size_t count)
      : count_(count), bytes_(new(std::nothrow) char[count * kBytesPerPage + 1]) {}

  bool Allocated() const { return bytes_ != nullptr; }

  void** addresses() { return reinterpret_cast<void**>(bytes_.get()); }
  int32_t* nodes() { return reinterpret_cast<int32_t*>(addresses() + count_); }
  int32_t* status() { return nodes() + count_; }

 private:
  static constexpr size_t kBytesPerPage = sizeof(void*) + 2 * sizeof(int32_t);

  size_t count_;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_PAGE_ARRAYS_H_
