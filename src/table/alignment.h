// Incoming rows brought into a table's columns: matched by name, widened without loss, missing ones filled with null.
#pragma once

#include "base/try.h"
#include "log/table_state.h"
#include "model/index.h"
#include "model/schema.h"
#include "table/batch_source.h"

#include <marigram/error.h>

#include <memory>
#include <vector>

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace marigram::table {

/// The mapping of one incoming schema into one table. Immutable; thread-safe.
class Alignment {
 public:
  /// For a table with a schema: every incoming column must be the table's, of its type or losslessly widened to it (v1:
  /// of its type; a timestamp's zone label is free); time must be there and, unless the table grows, tags; other
  /// nullable columns may be missing. For a table without: its schema will be the incoming one, in which the types
  /// declared at creation are enforced. kSchemaMismatch names the column.
  static Result<Alignment> make(const arrow::Schema& incoming, const log::TableState& state);

  /// The table's schema after the append.
  const model::Schema& schema() const { return schema_; }
  /// The same as Arrow's.
  const std::shared_ptr<arrow::Schema>& arrow_schema() const { return arrow_schema_; }
  /// Whether the table had no schema before.
  bool adopts() const { return adopts_; }

  /// kInvalidInput: null in a column that must not be null (time, tags, non-nullable ones), a value that does not fit.
  /// Tags that may be absent, because the table grows, come out as empty values for null.
  Result<std::shared_ptr<arrow::RecordBatch>> align(const arrow::RecordBatch& batch) const;

 private:
  enum class Nulls { kAllowed, kRefused, kEmpty };  // what becomes of those of a column

  bool adopts_ = false;
  model::Schema schema_;
  std::shared_ptr<arrow::Schema> arrow_schema_;
  std::vector<int> sources_;  // per table column: incoming column, or -1 for nulls
  std::vector<Nulls> nulls_;  // per table column
};

/// Rows as segments hold them: tags that a series lacks are empty. Borrows both.
class AlignedSource : public BatchSource {
 public:
  AlignedSource(BatchSource& rows, const Alignment& alignment) : rows_(rows), alignment_(alignment) {}

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    MARIGRAM_ASSIGN(auto batch, rows_.next());
    return batch ? alignment_.align(*batch) : batch;
  }

 private:
  BatchSource& rows_;
  const Alignment& alignment_;
};

/// What a table needs of its columns: the index column of the index's type, the tags of types that can name series.
/// kSchemaMismatch names the column.
Status check_index_columns(Dialect dialect, const model::IndexSpec& index, const model::Schema& schema);

/// A file that is adopted as it is must have the table's columns exactly, nullability included; their order is free.
/// kSchemaMismatch names the column.
Status check_same_columns(const model::Schema& file, const model::Schema& table, const std::string& key);

}  // namespace marigram::table
