// Parquet's DELTA_BINARY_PACKED integers: the differences of neighbours, bit-packed in blocks.
// https://parquet.apache.org/docs/file-format/data-pages/encodings/
#pragma once

#include "codec/packed_bits.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace marigram::segment {

/// Reads forward, never outside its bytes.
class DeltaDecoder {
 public:
  /// Values that follow each other: `values`, or, if `step` says more than they could, an arithmetic progression.
  struct Stretch {
    std::size_t count = 0;                  // 0: the end
    std::uint64_t first = 0;                // of a progression
    std::uint64_t step = 0;                 // may wrap around, as all arithmetic here
    std::span<const std::uint64_t> values;  // empty: a progression; valid until the next call
  };

  DeltaDecoder() = default;
  explicit DeltaDecoder(codec::Bytes bytes) : bytes_(bytes) {}

  /// The next values, up to the end of a block; false if the bytes are damaged. O(1) where neighbours differ by the
  /// same all over the block, which those of a regular series do.
  bool next(Stretch& stretch) { return next(stretch, 0); }
  /// The same, but if the stretch has at most `unwanted` values, only their count may be set.
  bool next(Stretch& stretch, std::size_t unwanted);

 private:
  bool start();
  bool decode_block(Stretch& stretch, bool wanted);

  codec::Bytes bytes_;
  bool started_ = false;
  std::uint64_t left_ = 0;  // values to come
  std::uint64_t last_ = 0;
  std::size_t miniblocks_ = 0;  // of a block
  std::size_t miniblock_values_ = 0;
  std::vector<std::uint64_t> values_;  // of the block
};

}  // namespace marigram::segment
