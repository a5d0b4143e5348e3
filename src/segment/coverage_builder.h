// What a table must know of rows before it takes them: their coverage, bounds, series and defects. One pass.
#pragma once

#include "coverage/bucket_grid.h"
#include "coverage/coverage_map.h"
#include "model/table_meta.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace arrow {
class RecordBatch;
}

namespace marigram::segment {

struct RowSummary {
  coverage::CoverageMap coverage = {};
  std::uint64_t rows = 0;
  std::optional<IndexValue> min = {};  // unset if every index value is null or there is no row
  std::optional<IndexValue> max = {};
  model::SegmentLayout layout = {};  // v1: by the tag columns too (one key, or Mixed)
  bool sorted = true;                // rows ascend by (series, time)
};

/// Feeds on batches that hold at least the index column and the tags (any order, exact table types; dictionary-encoded
/// strings welcome). Fast where rows of a series stand together.
class CoverageBuilder {
 public:
  enum class Duplicates {
    kAllow,   // v1: many rows in a bucket are one covered bucket
    kReject,  // v7: a second row of a series in a bucket is an error
  };

  /// `source` names the rows in messages ("data/x.parquet", "the append").
  CoverageBuilder(Dialect dialect, const model::IndexSpec& index, Duplicates duplicates, const std::string& source);
  ~CoverageBuilder();

  /// kInvalidInput: null tag, null index value (v7; v1 skips them, as its reference does), value beyond the grid,
  /// duplicate bucket (kOverlap with OverlapInfo); kSchemaMismatch: missing column or another type.
  Status add(const arrow::RecordBatch& batch);
  RowSummary finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace marigram::segment
