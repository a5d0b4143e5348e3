// Reads a segment, of whichever format.
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
#include <string_view>
#include <vector>

namespace arrow {
class RecordBatch;
class RecordBatchReader;
}  // namespace arrow

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
  std::uint64_t row_groups = 0;  // a native segment is one
  std::uint64_t row_groups_read = 0;
  std::uint64_t pages = 0;  // of the index column in the row groups read; 0 in a Parquet file without a page index
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

/// An open segment file. Immutable; thread-safe; streams may run side by side.
class SegmentReader {
 public:
  virtual ~SegmentReader() = default;

  /// The file's name in the store; messages name it.
  virtual const std::string& key() const = 0;
  /// The file's columns; those with types that no table can hold come as kOther.
  virtual const model::Schema& schema(Dialect dialect) const = 0;
  virtual std::uint64_t rows() const = 0;
  virtual std::uint64_t bytes() const = 0;
  /// Whether the file says that its rows ascend by (tags..., time) of `index`, throughout. Tags that the file lacks are
  /// the same in all rows.
  virtual bool declared_sorted(const model::IndexSpec& index) const = 0;

  /// `schema` is the table's: columns come out in its types (a file's int32 under a table's int64 is widened).
  /// kSchemaMismatch if the file's types cannot become the table's; kNotFound for a column that the table lacks;
  /// kCorruption for one that the file lacks though it is not nullable; kInvalidInput for bounds of another domain and
  /// for predicates on columns that cannot be tags.
  virtual Result<std::unique_ptr<RowStream>> read(const model::Schema& schema, const model::IndexSpec& index,
                                                  ReadRequest request) const = 0;
  /// All rows and columns, as the file has them; every byte of it is read and checked. The result keeps what it needs
  /// alive; its errors carry ours (from_arrow_status).
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> read_all() const = 0;
  /// Whether what the file says of its rows besides is true: statistics, and their coverage, which is that sidecar's
  /// (its bytes). O(rows). kCorruption.
  virtual Status check_claims(std::string_view sidecar) const = 0;
};

/// `key` names the file in the store. kNotFound, kCorruption (of another format, cut short, damaged, encrypted).
Result<std::shared_ptr<SegmentReader>> open_segment(io::ObjectStore& store, const std::string& key,
                                                    SegmentFormat format);

}  // namespace marigram::segment
