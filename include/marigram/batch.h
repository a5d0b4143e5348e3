// Rows in memory, for programs without an Arrow library of their own. Programs with one hand over ArrowArrayStream
// directly (table.h); both are the same thing inside, and nothing is copied on the way.
#pragma once

#include <marigram/arrow_abi.h>
#include <marigram/error.h>
#include <marigram/export.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>
#include <marigram/value.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace marigram {

/// Immutable rows, column by column. Cheap to copy; thread-safe.
class MARIGRAM_EXPORT Batch {
 public:
  std::size_t rows() const;
  std::size_t columns() const;
  std::string column_name(std::size_t column) const;
  /// The cell; types without an alternative in Value come as their text. `row < rows()`, `column < columns()`.
  Value at(std::size_t row, std::size_t column) const;
  bool is_null(std::size_t row, std::size_t column) const;
  /// The values of a fixed-width column without a copy: T is std::int64_t (int64; timestamps in the column's unit),
  /// std::int32_t, std::uint64_t, float or double and must be the column's type; else the span is empty. Slots of nulls
  /// hold anything. Valid while a copy of the batch lives.
  template <typename T>
  std::span<const T> values(std::size_t column) const;

  /// Hands the rows over in the Arrow C data interface; the caller releases both.
  Status export_to(ArrowSchema* schema, ArrowArray* array) const;

  struct Impl;
  explicit Batch(std::shared_ptr<const Impl> impl);  // not for users: see BatchBuilder and BatchStream

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Collects rows. Not thread-safe.
class MARIGRAM_EXPORT BatchBuilder {
 public:
  /// Types as ColumnInfo spells them; a type that is none shows in finish().
  explicit BatchBuilder(std::vector<ColumnInfo> columns);
  ~BatchBuilder();
  BatchBuilder(BatchBuilder&&) noexcept;
  BatchBuilder& operator=(BatchBuilder&&) noexcept;

  /// Adds a row, one value a column. A value that does not fit its column (wrong type, out of range, lossy) or a wrong
  /// number of values is remembered and reported by finish().
  BatchBuilder& add(std::span<const Value> row);
  BatchBuilder& add(std::initializer_list<Value> row) { return add(std::span(row.begin(), row.size())); }

  /// The rows so far; the builder is empty afterwards. kInvalidInput names the first bad row, column and value.
  Result<Batch> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The rows of a scan, batch by batch. Not thread-safe.
class MARIGRAM_EXPORT BatchStream {
 public:
  /// Unset at the end.
  Result<std::optional<Batch>> next();

  struct Impl;
  explicit BatchStream(std::shared_ptr<Impl> impl);  // not for users: see read()

 private:
  std::shared_ptr<Impl> impl_;
};

/// Table::append for a batch of ours.
MARIGRAM_EXPORT Result<AppendResult> append(Table& table, const Batch& batch);
/// Table::scan as batches of ours.
MARIGRAM_EXPORT Result<BatchStream> read(const Table& table, const ScanRequest& request = {});

}  // namespace marigram
