// Large blocks of memory, in pages of 2 MiB.
//
// Most of the time that a fresh block takes is the kernel's, which fills it with zeros; so some of what is given back
// is kept for the next. The kernel may take such pages whenever it needs memory (MADV_FREE).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace marigram::io {

/// A block, given back when this goes. Its bytes are unset: zeros, or what another block of this process held.
class LargeMemory {
 public:
  /// Unset if there is no memory. `bytes` is not 0. Thread-safe.
  static std::optional<LargeMemory> allocate(std::size_t bytes);
  ~LargeMemory();
  LargeMemory(LargeMemory&& other) noexcept;
  LargeMemory& operator=(LargeMemory&& other) = delete;
  LargeMemory(const LargeMemory&) = delete;
  LargeMemory& operator=(const LargeMemory&) = delete;

  std::uint8_t* data() { return begin_; }
  std::size_t size() const { return bytes_; }  // what was asked for, or more

 private:
  LargeMemory(std::uint8_t* begin, std::size_t bytes) : begin_(begin), bytes_(bytes) {}

  std::uint8_t* begin_;  // null: moved from
  std::size_t bytes_;
};

}  // namespace marigram::io
