// A table, or a level of rollups, as an aggregation reads it: cut into stretches.
//
// Time falls into windows, one for each group of segments that overlap (time_windows.h). A window of one native
// segment, or of some that follow one another in order of series and time, is aggregated block by block where it lies
// (native_cursor.h): of blocks whose rows fall into one group and bucket the statistics are enough. Rows of other
// windows are scanned. Series by series the stretches follow one another.
#pragma once

#include "coverage/bucket_set.h"
#include "model/series_set.h"
#include "query/aggregate_input.h"
#include "query/aggregation.h"
#include "query/native_cursor.h"
#include "query/native_segment.h"
#include "query/table_view.h"
#include "query/time_windows.h"

#include <marigram/aggregate.h>
#include <marigram/error.h>
#include <marigram/scan.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marigram::query {

class AggregateTable;

/// Windows that follow one another and are scanned as one, or a segment.
struct Stretch {
  std::shared_ptr<AggregateTable> table = {};
  ScanRequest rows = {};
  std::shared_ptr<const model::SeriesSet> series = {};  // of these; null: of all
  std::size_t first = 0;
  std::size_t last = 0;
  std::optional<NativeQuestion> question = {};  // of the segment; unset: it is scanned
};

/// Not thread-safe while it is cut; afterwards immutable but for what it opens.
class AggregateTable : public std::enable_shared_from_this<AggregateTable> {
 public:
  /// Of which `rows` will be asked for. `asked`: its columns. kNotFound: a column that the table lacks.
  static Result<std::shared_ptr<AggregateTable>> of_rows(TableView table, const ScanRequest& rows,
                                                         const AggregationSpec& asked);
  /// A level that can tell all of them (rollup_plan.h).
  static Result<std::shared_ptr<AggregateTable>> of_level(TableView level, const AggregationSpec& asked);

  const TableView& view() const { return view_; }
  /// What is read, in this order: tags, time, fields.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// The buckets of the table's coverage that hold rows which no segment has, of those that are asked for.
  const coverage::BucketSet& newer() const { return newer_; }

  /// The rows that are asked for by range and tags, of these series (null: all), in order of time, behind `stretches`.
  Status cut(const ScanRequest& rows, const std::shared_ptr<const model::SeriesSet>& series,
             std::vector<Stretch>& stretches, QueryStatistics& statistics);
  /// All of a stretch of this table.
  Result<std::unique_ptr<SeriesCursor>> cursor(const Stretch& stretch) const;
  /// The segment's series [begin, end), of a stretch that is one.
  std::unique_ptr<SeriesCursor> cursor(const Stretch& stretch, std::size_t begin, std::size_t end) const;

 private:
  AggregateTable(TableView view, const AggregationSpec& asked);

  Status find_newer(ScanRequest rows);
  Status choose_columns(std::vector<std::string> fields);
  bool has_newer(std::size_t window, const ScanRequest& rows) const;
  Result<NativeQuestion> question_of(const NativeSegment& segment, const ScanRequest& rows,
                                     const model::SeriesSet* series) const;

  TableView view_;
  std::vector<AggregateOf> aggregates_;
  coverage::BucketSet newer_;
  std::optional<LevelRows> level_;
  TimeWindows windows_;
  std::vector<std::string> columns_;  // tags, time, fields
  std::vector<std::string> fields_;
  std::shared_ptr<arrow::Schema> schema_;
  std::optional<NativeSegments> segments_;
};

}  // namespace marigram::query
