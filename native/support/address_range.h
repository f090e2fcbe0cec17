// Addresses that the addon has from the kernel. Node's pending operations (fs, zlib, crypto,
// sockets) hold an ArrayBuffer's object, not its memory, and go on with the address after the
// memory was given back. So a range has two ends: it is emptied when its memory is given back, and
// given back itself when nobody can know the addresses any more. In between it is harmless: zeros
// that may be read and written by anybody, and that are nobody's memory.
#ifndef NODE_NUMA_SUPPORT_ADDRESS_RANGE_H_
#define NODE_NUMA_SUPPORT_ADDRESS_RANGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

namespace node_numa {

/** What is asked of the kernel. */
struct RangeCalls {
  /** Gives the addresses back; false where the kernel refused. */
  bool (*unmap)(char* begin, size_t bytes);
  /**
   * Gives the memory back and leaves the addresses harmless. False where they may be somebody
   * else's now: such are never touched again.
   */
  bool (*empty)(char* begin, size_t bytes);
};

class AddressRange {
 public:
  /** A range of no addresses yet; takes all the memory that it will ever need. */
  explicit AddressRange(const RangeCalls* calls);
  /** Gives the addresses back, from any thread. */
  ~AddressRange();
  AddressRange(const AddressRange&) = delete;
  AddressRange& operator=(const AddressRange&) = delete;

  void Take(char* begin, size_t bytes);
  /** Gives the memory back; the addresses stay. */
  void Empty();
  struct Forgotten {
    char* begin;
    size_t bytes;
  };
  /** Somebody else may have some of them now: the caller knows which to give back. */
  Forgotten Forget();

 private:
  struct Extent {
    size_t bytes;
    enum class State { kUsed, kEmpty, kUnneeded } state;
  };
  /** By first address. The process's, because neighbours may be of different threads. */
  using Extents = std::map<uintptr_t, Extent>;
  struct Table;

  static Table& TheTable();
  static Extents::iterator Joined(Extents* extents, Extents::iterator extent);
  static bool IsEnclosed(const Extents& extents, Extents::const_iterator extent);

  const RangeCalls* const calls_;
  Extents::node_type node_;
  uintptr_t begin_ = 0;
};

/** Keeps addresses from being used for anything else. Not by std::make_shared, which needs a newer
 *  libstdc++ than Node.js does. */
using AddressShare = std::shared_ptr<AddressRange>;

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_ADDRESS_RANGE_H_
