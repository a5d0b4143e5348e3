// Files of an append before its commit: written, or adopted, but named by no commit yet.
#pragma once

#include "coverage/coverage_map.h"
#include "io/object_store.h"
#include "log/table_state.h"
#include "model/schema.h"
#include "model/table_meta.h"
#include "segment/coverage_builder.h"
#include "table/row_order.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace marigram::table {

/// Deletes the files it was told of when it goes, unless they were kept: a failed append leaves nothing behind.
/// Thread-safe. Failures to delete are ignored: vacuum finds what is left.
class StagedFiles {
 public:
  explicit StagedFiles(io::ObjectStore& store) : store_(store) {}
  ~StagedFiles();
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

  void add(std::string key);
  void remove(const std::string& key);  ///< deletes one now
  void keep();
  /// Keeps them if the commit that names them is there, or may be.
  void keep_after(const Status& committed);

 private:
  io::ObjectStore& store_;
  std::mutex mutex_;
  std::vector<std::string> keys_;  // guarded by mutex_
};

/// What all segments of one append cover together.
struct Staged {
  std::vector<model::SegmentMeta> segments = {};
  coverage::CoverageMap coverage = {};
  std::uint64_t rows = 0;
  std::optional<SeriesKey> series = {};  // v1: the one series of all rows; empty key without tags
};

/// Some of the rows that are to be appended: one partition of them, or a part of it.
struct SegmentRows {
  std::int64_t offset = 0;
  std::int64_t count = 0;
};

/// Of segments to come, of the cold tier or the warm.
SegmentFormat format_of(const log::TableState& state, bool cold);

/// Writes `part` of `rows` (the table's columns) as one segment of the table, or of its cold tier. `summary` is what a
/// CoverageBuilder says of these rows. The result lacks its coverage_path. The state must have an index.
Result<model::SegmentMeta> stage_rows(io::ObjectStore& store, const log::TableState& state, const model::Schema& schema,
                                      const OrderedRows& rows, SegmentRows part, const segment::RowSummary& summary,
                                      bool cold, StagedFiles& files);

/// Makes a segment of a Parquet file that lies in the table's folder (v1). The result lacks its coverage_path.
Result<model::SegmentMeta> stage_file(io::ObjectStore& store, const log::TableState& state, const std::string& key,
                                      const segment::RowSummary& summary);

/// Writes a segment's coverage sidecar and gives its path; `attempt` is the append's UUID. Durable on its own, so that
/// it may be written while the segment is.
Result<std::string> stage_coverage(io::ObjectStore& store, const log::TableState& state,
                                   const coverage::CoverageMap& covered, const std::string& attempt,
                                   StagedFiles& files);
/// Writes the coverage of the table as it is behind `now`.
Result<log::UpdateTableCoverage> stage_table_coverage(io::ObjectStore& store, const log::TableState& now,
                                                      const coverage::CoverageMap& covered, const std::string& attempt,
                                                      StagedFiles& files);

}  // namespace marigram::table
