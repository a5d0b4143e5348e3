// What queries know of the table that they read.
#pragma once

#include "base/thread_pool.h"
#include "model/index.h"
#include "model/schema.h"
#include "query/snapshot.h"

#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace marigram::query {

/// Values of the index as joins compare them: in the column's unit; unsigned numbers with their highest bit
/// flipped.
class IndexUnits {
 public:
  IndexUnits(const model::IndexKind& kind, TimeUnit unit) : kind_(kind.index()), unit_(unit) {}

  TimeUnit unit() const { return unit_; }
  /// The nearest one below, if it is none itself.
  std::int64_t from_value(const IndexValue& value) const;
  IndexValue to_value(std::int64_t units) const;

 private:
  std::size_t kind_;
  TimeUnit unit_;
};

/// A moment of a table that has an index and columns.
struct TableView {
  Snapshot snapshot;
  model::IndexSpec index;
  model::Schema schema;
  std::shared_ptr<arrow::Schema> arrow_schema;  // the same
  IndexUnits units;

  /// kInvalidInput, kNotFound: bounds of another domain than the index, predicates on what is no tag; and if the table
  /// has no index or no columns (table/definition.h).
  static Result<TableView> make(const Snapshot& snapshot, const std::optional<IndexValue>& from,
                                const std::optional<IndexValue>& to, const std::vector<TagPredicate>& where);

  /// Whether tags may be null.
  bool grows() const { return snapshot.state->meta->grows(); }
  bool has_times() const { return std::holds_alternative<model::TimestampIndex>(index.kind); }
  bool is_unsigned() const { return std::holds_alternative<model::UInt64Index>(index.kind); }
  ThreadPool& pool() const { return *snapshot.engine.environment().pool; }
};

}  // namespace marigram::query
