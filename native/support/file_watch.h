// Files can be made shorter by others while they are mapped. An access behind the end is SIGBUS
// then, which ends the process. So ranges over files are watched: where the file has no such page
// any more the range gets pages of zeros of its own, up to its end, and is marked as truncated.
// Every other SIGBUS goes to whoever had the signal before.
#ifndef NODE_NUMA_SUPPORT_FILE_WATCH_H_
#define NODE_NUMA_SUPPORT_FILE_WATCH_H_

#include <cstddef>
#include <cstdint>

namespace node_numa {

/** What is mapped where. */
struct WatchedRange {
  void* begin;
  /** Whole pages. */
  size_t bytes;
  /** Of the file's pages: those of a pool are larger. */
  size_t page_bytes;
  int descriptor;
  /** Where in the file the range begins. */
  uint64_t offset_bytes;
};

/** Watches a range as long as it lives; its descriptor must live longer. */
class FileWatch {
 public:
  explicit FileWatch(const WatchedRange& range);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /** Whether somebody came to a page that the file had lost. */
  bool IsTruncated() const;
  /** Whether the file ends before so many bytes of the range. */
  bool IsShorterThan(uint64_t range_bytes) const;

 private:
  struct Slot;
  struct Table;

  static Table& TheTable();
  static void Install(Table* table);
  static void OnSignal(int signal, void* info, void* context);
  static Slot* Find(uintptr_t address);
  static bool Repair(Slot* slot, uintptr_t address);

  Slot* slot_;
};

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_FILE_WATCH_H_
