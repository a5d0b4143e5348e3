// Strings that live as long as the rows that hold them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace marigram::head {

/// Copies of strings, which stay where they are. Not thread-safe; what it handed out may be read while it grows.
class StringArena {
 public:
  std::string_view put(std::string_view text) {
    if (text.empty()) return {};
    if (free_ < text.size()) add_page(text.size());
    char* const place = next_;
    std::memcpy(place, text.data(), text.size());
    next_ += text.size();
    free_ -= text.size();
    return {place, text.size()};
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void add_page(std::size_t least) {
    constexpr std::size_t kFirst = 1'024;
    constexpr std::size_t kMost = std::size_t{64} << 10;
    free_ = std::max(least, std::clamp(bytes_, kFirst, kMost));
    pages_.push_back(std::make_unique_for_overwrite<char[]>(free_));  // NOLINT(modernize-avoid-c-arrays)
    next_ = pages_.back().get();
    bytes_ += free_;
  }

  std::vector<std::unique_ptr<char[]>> pages_;  // NOLINT(modernize-avoid-c-arrays)
  char* next_ = nullptr;
  std::size_t free_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace marigram::head
