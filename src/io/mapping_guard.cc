#include "io/mapping_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>

namespace marigram::io {

/// Guarded addresses, or none: then `begin` is 0, or kTaken while they are set.
struct MappingGuard::Range {
  std::atomic<std::uintptr_t> begin = 0;
  std::atomic<std::uintptr_t> end = 0;
  std::atomic<bool> is_cut = false;
};

namespace {

using Range = MappingGuard::Range;

constexpr std::uintptr_t kTaken = 1;

/// All ranges there ever were, in a list that only grows: the handler of a signal may look at it at any moment.
struct Ranges {
  std::array<Range, 256> ranges = {};
  std::atomic<Ranges*> next = nullptr;
};

constinit Ranges all_ranges;
constinit std::uintptr_t page_bytes = 0;
struct sigaction handler_before = {};

Range* find(std::uintptr_t address) {
  for (Ranges* some = &all_ranges; some != nullptr; some = some->next.load(std::memory_order_acquire)) {
    for (Range& range : some->ranges) {
      const std::uintptr_t begin = range.begin.load(std::memory_order_acquire);
      if (begin > kTaken && address >= begin && address < range.end.load(std::memory_order_relaxed)) return &range;
    }
  }
  return nullptr;
}

/// Puts a page of zeros where there is none.
bool mend(void* at) {
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  Range* const range = find(address);
  if (range == nullptr) return false;
  range->is_cut.store(true, std::memory_order_release);
  void* const page = static_cast<std::byte*>(at) - address % page_bytes;
  return ::mmap(page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page;
}

/// What is not ours happens again, with the handler that was there before.
void pass_on(int signal, siginfo_t* info, void* context) {
  if ((handler_before.sa_flags & SA_SIGINFO) != 0) {
    handler_before.sa_sigaction(signal, info, context);
  } else if (handler_before.sa_handler == SIG_DFL || handler_before.sa_handler == SIG_IGN) {
    ::sigaction(signal, &handler_before, nullptr);
  } else {
    handler_before.sa_handler(signal);
  }
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  if (info->si_code != BUS_ADRERR || !mend(info->si_addr)) {
    pass_on(signal, info, context);
  }
  errno = error;
}

void install() {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction handler = {};
  handler.sa_sigaction = on_bus_error;
  handler.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  ::sigemptyset(&handler.sa_mask);
  ::sigaction(SIGBUS, &handler, &handler_before);
}

/// A range that is none yet, and now kTaken.
Range& take_range() {
  static std::mutex growing;
  for (Ranges* some = &all_ranges;; some = some->next.load(std::memory_order_acquire)) {
    for (Range& range : some->ranges) {
      std::uintptr_t none = 0;
      if (range.begin.compare_exchange_strong(none, kTaken, std::memory_order_acq_rel)) return range;
    }
    const std::lock_guard lock(growing);
    if (some->next.load(std::memory_order_relaxed) == nullptr) some->next.store(new Ranges, std::memory_order_release);
  }
}

}  // namespace

MappingGuard::MappingGuard(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  static std::once_flag installed;
  std::call_once(installed, install);
  range_ = &take_range();
  range_->is_cut.store(false, std::memory_order_relaxed);
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t pages = (bytes.size() + page_bytes - 1) / page_bytes;
  range_->end.store(begin + pages * page_bytes, std::memory_order_relaxed);
  range_->begin.store(begin, std::memory_order_release);
}

MappingGuard::~MappingGuard() {
  if (range_ != nullptr) range_->begin.store(0, std::memory_order_release);
}

bool MappingGuard::is_cut() const {
  return range_ != nullptr && range_->is_cut.load(std::memory_order_acquire);
}

}  // namespace marigram::io
