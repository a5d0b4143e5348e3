// The tag columns of a batch: where the series changes, and which series a row belongs to.
#pragma once

#include "model/index.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace marigram::segment {

/// Borrows the batch.
class TagColumns {
 public:
  /// Columns of type utf8 (also large, also a dictionary), int32, int64 or uint64. kSchemaMismatch: missing or of
  /// another type; kInvalidInput: a null. `doing` begins messages; `first_row` is the number of the batch's first row
  /// in them.
  static Result<TagColumns> make(const arrow::RecordBatch& batch, const std::vector<std::string>& names,
                                 const std::string& doing, std::uint64_t first_row);

  bool empty() const { return columns_.empty(); }
  /// Sets starts[i] to 1 where row i is of another series than row i - 1 (or of the same, but under another entry of a
  /// dictionary that repeats itself). starts[0] becomes 1. `starts` is as long as the batch.
  void mark_changes(std::span<std::uint8_t> starts) const;
  SeriesKey key_of(std::int64_t row) const;
  /// Bytes that are equal for rows of the same series only, whatever the batch: in `scratch`, or in the batch itself.
  std::string_view encode(std::int64_t row, std::string& scratch) const;
  /// With a single dictionary column: its length, and each row's index in it, as the batch has them. Else no length.
  std::int64_t dictionary_length() const;
  std::span<const std::int32_t> dictionary_indices() const;

 private:
  struct Column;

  std::vector<std::shared_ptr<const Column>> columns_;
};

}  // namespace marigram::segment
