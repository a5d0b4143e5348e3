#include "io/large_memory.h"

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include <sys/mman.h>

namespace marigram::io {
namespace {

constexpr std::size_t kPage = 2U << 20U;

struct Block {
  std::uint8_t* begin = nullptr;
  std::size_t bytes = 0;
};

void unmap(std::uint8_t* begin, std::size_t bytes) {
  if (bytes > 0) ::munmap(begin, bytes);
}

/// New from the kernel, at a multiple of kPage; null without memory.
Block map(std::size_t bytes) {
  void* const mapped =
      ::mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return {};
  auto* const all = static_cast<std::uint8_t*>(mapped);
  const std::size_t before = (kPage - reinterpret_cast<std::uintptr_t>(all) % kPage) % kPage;
  unmap(all, before);
  unmap(all + before + bytes, kPage - before);
  (void)::madvise(all + before, bytes, MADV_HUGEPAGE);  // where there are none to give, it is done without
  return {all + before, bytes};
}

/// Blocks that were given back.
class Kept {
 public:
  Kept() { blocks_.reserve(kBytesMax / kPage); }

  /// One that is large enough, and not by much; else none.
  Block take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto best = blocks_.end();
    for (auto block = blocks_.begin(); block != blocks_.end(); ++block) {
      const bool fits = block->bytes >= bytes && block->bytes <= bytes + bytes / 4;
      if (fits && (best == blocks_.end() || block->bytes < best->bytes)) best = block;
    }
    if (best == blocks_.end()) return {};
    const Block taken = *best;
    blocks_.erase(best);
    bytes_ -= taken.bytes;
    return taken;
  }

  void put(const Block& block) {
    (void)::madvise(block.begin, block.bytes, MADV_FREE);
    {
      const std::lock_guard lock(mutex_);
      if (bytes_ + block.bytes <= kBytesMax) {
        blocks_.push_back(block);
        bytes_ += block.bytes;
        return;
      }
    }
    unmap(block.begin, block.bytes);
  }

 private:
  static constexpr std::size_t kBytesMax = 64U << 20U;

  std::mutex mutex_;
  std::vector<Block> blocks_;  // guarded by mutex_, as is bytes_; has room for all
  std::size_t bytes_ = 0;      // of all
};

Kept& kept() {
  static auto* const kKept = new Kept;  // for ever: results may outlive all else
  return *kKept;
}

}  // namespace

std::optional<LargeMemory> LargeMemory::allocate(std::size_t bytes) {
  const std::size_t whole = (bytes + kPage - 1) / kPage * kPage;
  Block block = kept().take(whole);
  if (block.begin == nullptr) block = map(whole);
  if (block.begin == nullptr) return std::nullopt;
  return LargeMemory(block.begin, block.bytes);
}

LargeMemory::~LargeMemory() {
  if (begin_ != nullptr) kept().put({begin_, bytes_});
}

LargeMemory::LargeMemory(LargeMemory&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), bytes_(other.bytes_) {}

}  // namespace marigram::io
