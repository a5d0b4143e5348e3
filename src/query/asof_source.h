// The rows of one window of time, as an as-of join looks at them.
#pragma once

#include "query/asof_column.h"
#include "query/asof_times.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <cstdint>
#include <span>
#include <string>

namespace marigram::query {

/// Probes of one series.
struct AsofQuestion {
  const SeriesKey* series = nullptr;
  std::span<const std::int64_t> bounds = {};  // ascending
  std::span<AsofRow> found = {};              // one each: its row, or none
};

class AsofSource {
 public:
  virtual ~AsofSource() = default;

  /// Answers the questions by rows in which the column `valid` is not null; if it is empty, by any. Quickest in order
  /// of series. kCorruption.
  virtual Status find(AsofSide side, const std::string& valid, std::span<const AsofQuestion> questions) = 0;
  /// Puts values of a column. Quickest where rows ascend. kCorruption.
  virtual Status put(const std::string& column, const AsofPicks& picks, AsofColumn& to) = 0;
};

}  // namespace marigram::query
