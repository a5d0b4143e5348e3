// The rows of one window of time, as an as-of join looks at them.
#pragma once

#include "query/asof_column.h"
#include "query/asof_times.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace marigram::query {

/// Probes of one series.
struct AsofQuestion {
  const SeriesKey* series = nullptr;
  std::span<const std::int64_t> bounds = {};  // ascending
  std::span<AsofRow> found = {};              // one each: its row, or none
};

/// A column of the table, and what takes its values.
struct AsofTarget {
  std::string name;
  std::unique_ptr<AsofColumn> column;
};

class AsofSource {
 public:
  virtual ~AsofSource() = default;

  /// Answers the questions by rows in which the column `valid` is not null; if it is empty, by any. Quickest in order
  /// of series. `columns`: a hint, their values of the rows that are found are put next. kCorruption.
  virtual Status find(AsofSide side, const std::string& valid, std::span<const AsofTarget> columns,
                      std::span<const AsofQuestion> questions) = 0;
  /// Puts values. Quickest where rows ascend. kCorruption.
  virtual Status put(std::span<const AsofTarget> columns, const AsofPicks& picks) = 0;
};

}  // namespace marigram::query
