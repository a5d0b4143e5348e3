// Rows of a head as a scan wants them: record batches of the table's columns, in order.
#pragma once

#include "head/reader.h"
#include "head/series_dictionary.h"
#include "table/batch_source.h"
#include "table/live_schema.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace arrow {
class Schema;
}

namespace marigram::table {

/// What to read of a head.
struct HeadRead {
  std::vector<head::HeadView> views = {};  ///< later ones hold what arrived later
  std::shared_ptr<const LiveSchema> schema = {};
  std::shared_ptr<const head::SeriesDictionary> series = {};
  head::EqualTimes equal = head::EqualTimes::kKeep;
  std::optional<std::vector<head::SeriesId>> wanted = {};  ///< ascending; unset: every series
  head::TimeSpan times = {};
  std::size_t batch_rows = 65'536;
};

/// The rows by (series, time), series ordered by the values of their tags, with the columns of `columns`, whose types
/// are the table's; tags that a series lacks are empty. A column that no field of the head has is null. Memory: one
/// batch and the rows of one series.
std::unique_ptr<BatchSource> head_source(HeadRead read, std::shared_ptr<arrow::Schema> columns);

}  // namespace marigram::table
