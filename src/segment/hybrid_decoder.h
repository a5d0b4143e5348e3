// Parquet's hybrid of run-length encoding and bit packing (RLE), which dictionary indices are stored in.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/
#pragma once

#include "codec/packed_bits.h"

#include <cstddef>
#include <cstdint>

namespace marigram::segment {

/// Reads forward, never outside its bytes.
class HybridDecoder {
 public:
  HybridDecoder() = default;
  /// `bit_width`: 0 to 32 bits a value.
  HybridDecoder(codec::Bytes bytes, unsigned bit_width) : bytes_(bytes), bit_width_(bit_width) {}

  /// The next `count` values; false if the bytes hold fewer, or one of more bits. O(count).
  bool read(std::uint32_t* out, std::size_t count);
  /// Passes over values. O(runs).
  bool skip(std::size_t count);
  /// Asks the processor's cache for the `count` values that come after the next `ahead`, as far as their place can be
  /// foreseen.
  void prefetch(std::size_t ahead, std::size_t count) const;

 private:
  bool next_run();

  codec::Bytes bytes_;  // behind the current run
  unsigned bit_width_ = 0;
  std::size_t left_ = 0;  // values of the current run that are still to come
  codec::Bytes packed_;   // the run's values; empty: all are value_
  std::size_t next_ = 0;  // of the packed values
  std::uint32_t value_ = 0;
};

}  // namespace marigram::segment
