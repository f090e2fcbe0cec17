#include "file_watch.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <mutex>

namespace node_numa {

namespace {

// A file that was made shorter and longer again between the access and our look: the access is
// tried anew. One that cannot be read looks the same, so not for ever.
constexpr int kDoubtsMax = 16;

// What had the signal before. Written while nobody has our handler.
struct sigaction previous_action;

bool IsNobody(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 &&
         (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
}

void PassOn(int signal, siginfo_t* info, void* context) {
  const bool is_sent = info->si_code <= 0;
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
    return;
  }
  if (!IsNobody(previous_action)) {
    previous_action.sa_handler(signal);
    return;
  }
  if (is_sent && previous_action.sa_handler == SIG_IGN) return;
  // The access is made again, and ends the process as it would have without us. A signal that
  // somebody has sent comes no second time by itself.
  sigaction(signal, &previous_action, nullptr);
  if (is_sent) raise(signal);
}

}  // namespace

// SAFETY: the signal's handler reads slots while others write them, so a slot is never freed, and
// `end` is 0 while the rest of it changes. A range that somebody accesses has its slot: who gives
// memory up has first taken it out of every reach (view.h).
struct FileWatch::Slot {
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  std::atomic<size_t> page_bytes{0};
  std::atomic<int> descriptor{-1};
  std::atomic<uint64_t> offset_bytes{0};
  std::atomic<bool> is_truncated{false};
  std::atomic<int> doubt_count{0};
  Slot* next = nullptr;
  // Only with the mutex.
  Slot* next_free = nullptr;
};

struct FileWatch::Table {
  std::mutex mutex;
  std::atomic<Slot*> first{nullptr};
  Slot* first_free = nullptr;
  bool is_installed = false;
};

// Never destroyed: the handler may run at any time.
FileWatch::Table& FileWatch::TheTable() {
  static Table* const table = new Table;
  return *table;
}

FileWatch::FileWatch(const WatchedRange& range) {
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  Install(&table);
  slot_ = table.first_free;
  if (slot_ == nullptr) {
    slot_ = new Slot;
    slot_->next = table.first.load();
    table.first.store(slot_);
  } else {
    table.first_free = slot_->next_free;
  }
  const uintptr_t begin = reinterpret_cast<uintptr_t>(range.begin);
  slot_->begin = begin;
  slot_->page_bytes = range.page_bytes;
  slot_->descriptor = range.descriptor;
  slot_->offset_bytes = range.offset_bytes;
  slot_->is_truncated = false;
  slot_->doubt_count = 0;
  slot_->end = begin + range.bytes;
}

FileWatch::~FileWatch() {
  Table& table = TheTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  slot_->end = 0;
  slot_->next_free = table.first_free;
  table.first_free = slot_;
}

// Whoever had the signal meanwhile, and gave it back, has left the default in place. One that still
// has it may pass on to us what it does not know, and we must not pass that back.
void FileWatch::Install(Table* table) {
  struct sigaction current = {};
  if (sigaction(SIGBUS, nullptr, &current) != 0) return;
  if (table->is_installed && !IsNobody(current)) return;
  previous_action = current;
  struct sigaction action = {};
  action.sa_sigaction = [](int signal, siginfo_t* info, void* context) {
    OnSignal(signal, info, context);
  };
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  table->is_installed = sigaction(SIGBUS, &action, nullptr) == 0;
}

bool FileWatch::IsTruncated() const {
  return slot_->is_truncated;
}

bool FileWatch::IsShorterThan(uint64_t range_bytes) const {
  struct stat status;
  return fstat(slot_->descriptor, &status) == 0 &&
         static_cast<uint64_t>(status.st_size) < slot_->offset_bytes + range_bytes;
}

FileWatch::Slot* FileWatch::Find(uintptr_t address) {
  for (Slot* slot = TheTable().first.load(); slot != nullptr; slot = slot->next) {
    const uintptr_t end = slot->end;
    if (address < end && address >= slot->begin && slot->end == end) return slot;
  }
  return nullptr;
}

// By calls that a signal's handler may make, but for mmap(2), which Linux makes no less safe.
bool FileWatch::Repair(Slot* slot, uintptr_t address) {
  struct stat status;
  if (fstat(slot->descriptor, &status) != 0) return false;
  const uintptr_t page = address / slot->page_bytes * slot->page_bytes;
  const uint64_t offset_bytes = slot->offset_bytes + (page - slot->begin);
  if (offset_bytes < static_cast<uint64_t>(status.st_size)) {
    return slot->doubt_count.fetch_add(1) < kDoubtsMax;
  }
  slot->is_truncated = true;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  return mmap(reinterpret_cast<void*>(page), slot->end - page, PROT_READ | PROT_WRITE, flags, -1,
              0) != MAP_FAILED;
}

void FileWatch::OnSignal(int signal, void* info, void* context) {
  siginfo_t* const told = static_cast<siginfo_t*>(info);
  const int error = errno;
  Slot* const slot =
      told->si_code == BUS_ADRERR ? Find(reinterpret_cast<uintptr_t>(told->si_addr)) : nullptr;
  const bool is_repaired =
      slot != nullptr && Repair(slot, reinterpret_cast<uintptr_t>(told->si_addr));
  errno = error;
  if (!is_repaired) PassOn(signal, told, context);
}

}  // namespace node_numa
