// Picks rows out of several batches into one: what sorting and merging end with.
#pragma once

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace marigram::table {

/// A row of one of several batches.
struct RowAt {
  std::uint32_t batch;
  std::uint32_t row;
};

/// Immutable; thread-safe; keeps the batches alive.
class RowGather {
 public:
  /// At least one batch; all of the first one's schema. Columns of fixed width and strings, if they hold no nulls, stay
  /// where they are; others are joined (copied) here.
  static Result<RowGather> make(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches);

  /// The rows, in the order of `rows`. O(rows x columns).
  Result<std::shared_ptr<arrow::RecordBatch>> take(std::span<const RowAt> rows) const;
  /// The same, of rows that are numbered over all batches.
  Result<std::shared_ptr<arrow::RecordBatch>> take(std::span<const std::uint32_t> rows) const;

 private:
  struct Column {
    std::vector<std::shared_ptr<arrow::Array>> chunks;  // one a batch
    std::shared_ptr<arrow::Array> joined;               // all rows; null where the chunks can be read as they are
  };

  template <typename Row>
  Result<std::shared_ptr<arrow::RecordBatch>> take_rows(std::span<const Row> rows) const;

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Column> columns_;
  std::vector<std::uint64_t> first_row_;  // of each batch among all
};

/// A column of the batches, an array each.
std::vector<std::shared_ptr<arrow::Array>> column_chunks(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, int column);
/// The same as one array; that of a single batch as it is.
Result<std::shared_ptr<arrow::Array>> join_column(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                                                  int column);

}  // namespace marigram::table
