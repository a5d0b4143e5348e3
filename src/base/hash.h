// Content hashes and identifiers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace marigram {

/// Incremental BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs), as the table format names files by it.
class Blake3 {
 public:
  Blake3();
  ~Blake3();
  Blake3(Blake3&&) noexcept;
  Blake3& operator=(Blake3&&) noexcept;

  Blake3& update(std::string_view bytes);
  Blake3& update(std::span<const std::byte> bytes);
  /// The first `digits` (<= 64) lower-case hex digits of the hash of all bytes so far.
  std::string hex(std::size_t digits) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// CRC-32C (Castagnoli), for checkpoints and records. Continues from `seed`: crc32c(b, crc32c(a)) is that of a and b
/// joined.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

/// A random version 4 UUID, lower-case with dashes. Thread-safe; from the operating system's entropy.
std::string random_uuid();

}  // namespace marigram
