// Reads a segment: Parquet files of ours and of others, pruned by row group and page statistics.
#pragma once

#include "io/object_store.h"
#include "model/index.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace arrow {
class RecordBatch;
}

namespace marigram::segment {

struct ReadRequest {
  std::vector<std::string> columns = {};  // what to return, in this order
  std::optional<IndexValue> from = {};    // inclusive, exact
  std::optional<IndexValue> to = {};      // exclusive, exact
  std::vector<TagPredicate> where = {};
  std::size_t batch_rows = 65'536;
};

/// What pruning did; for explain and tests.
struct ReadStatistics {
  std::uint64_t row_groups = 0;
  std::uint64_t row_groups_read = 0;
  std::uint64_t pages = 0;  // of the index column in the row groups read; 0 without a page index
  std::uint64_t pages_read = 0;
  std::uint64_t rows_decoded = 0;
  std::uint64_t rows_returned = 0;
};

/// The rows of one segment that match, in file order. A nullable column that the file lacks comes as nulls, but for
/// text tags, which a table may have got since: the series of the file lack them, so they come as empty values, by
/// which predicates judge them too. Not thread-safe; keeps the file open.
class RowStream {
 public:
  virtual ~RowStream() = default;
  /// Null at the end; never an empty batch. Rows whose index value is null are never returned. kCorruption names the
  /// file.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> next() = 0;
  virtual const ReadStatistics& statistics() const = 0;
};

/// An open segment file with its footer. Immutable; thread-safe; streams may run side by side.
class SegmentReader {
 public:
  /// Reads the footer. `key` names the file in the store; messages name it. kNotFound, kCorruption (not Parquet, cut
  /// short, damaged footer, encrypted).
  static Result<std::shared_ptr<SegmentReader>> open(io::ObjectStore& store, const std::string& key);
  ~SegmentReader();

  const std::string& key() const;
  /// The file's columns as the dialect's reference implementation derives them: v7 from the Arrow schema that the
  /// writer stored, if it did; else, and always in v1, from Parquet's types alone (no time zones; v1 has no uint64).
  /// Columns with types that no table can hold come as kOther.
  const model::Schema& schema(Dialect dialect = Dialect::kV7) const;
  std::uint64_t rows() const;
  std::uint64_t bytes() const;
  /// Whether the footer says that rows ascend by (tags..., time) of `index`, throughout the file. Tags that the file
  /// lacks are the same in all rows.
  bool declared_sorted(const model::IndexSpec& index) const;

  /// `schema` is the table's: columns come out in its types (a file's int32 under a table's int64 is widened).
  /// kSchemaMismatch if the file's types cannot become the table's; kNotFound for a column that the table lacks;
  /// kCorruption for one that the file lacks though it is not nullable; kInvalidInput for bounds of another domain and
  /// for predicates on columns that cannot be tags.
  Result<std::unique_ptr<RowStream>> read(const model::Schema& schema, const model::IndexSpec& index,
                                          ReadRequest request) const;

 private:
  struct State;
  explicit SegmentReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace marigram::segment
