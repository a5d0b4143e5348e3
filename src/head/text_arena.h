// Texts that stay where they are for as long as the arena lives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace marigram::head {

/// Not thread-safe; what keep() gave may be read by any thread meanwhile.
class TextArena {
 public:
  /// A copy of the text, valid for the arena's life.
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > free_bytes_) add_block(text.size());
    char* copy = free_;
    std::memcpy(copy, text.data(), text.size());
    free_ += text.size();
    free_bytes_ -= text.size();
    return {copy, text.size()};
  }

  /// What the blocks weigh.
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kBlockBytesMin = 1 << 10;
  static constexpr std::size_t kBlockBytesMax = 1 << 20;

  /// Blocks grow with the arena, so that neither a small nor a large one wastes more than it holds.
  void add_block(std::size_t bytes_min) {
    const std::size_t bytes = std::max(bytes_min, std::clamp(bytes_, kBlockBytesMin, kBlockBytesMax));
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    free_ = blocks_.back().get();
    free_bytes_ = bytes;
    bytes_ += bytes;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;  // in the last block
  std::size_t free_bytes_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace marigram::head
