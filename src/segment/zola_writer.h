// Writes a zola folder (docs/format/zola.md).
#pragma once

#include "io/object_store.h"
#include "segment/zola_format.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace marigram::segment {

/// Not thread-safe. Borrows the store, which is empty at first.
class ZolaWriter {
 public:
  /// For the rows of a table with these columns, of which `tags` name the series. Writes .schema. kInvalidInput names a
  /// column that such a folder cannot hold.
  static Result<ZolaWriter> create(io::ObjectStore& store, const arrow::Schema& schema, const std::string& time,
                                   std::span<const std::string> tags);

  /// What write() takes, in this order.
  const std::vector<std::string>& columns() const { return names_; }
  /// All rows of a day (counted from 1970-01-01), at least one, by (series, time). kInvalidInput: values that 64 bits
  /// or microseconds cannot hold. Memory: a column.
  Status write(std::int64_t day, const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows);
  /// How many values were written that read as nulls, though they were none.
  std::uint64_t lost_values() const { return lost_values_; }

 private:
  explicit ZolaWriter(io::ObjectStore& store) : store_(&store) {}

  Result<std::vector<std::uint64_t>> cells(const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows, int column);
  Status put_column(const std::string& folder, const ZolaColumn& column, std::span<const std::uint64_t> cells);

  io::ObjectStore* store_;
  std::vector<std::string> names_;   // in the table: symbol, time, fields
  std::vector<ZolaColumn> columns_;  // in the folder, likewise
  std::uint64_t lost_values_ = 0;
};

}  // namespace marigram::segment
