// What the write path needs to know of a table's columns.
#pragma once

#include "head/rows.h"
#include "head/series_dictionary.h"
#include "log/table_state.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace marigram::table {

/// Immutable. Columns are only added, so the numbers of tags and fields stay.
struct LiveSchema {
  std::string time_column = {};
  TimeUnit unit = TimeUnit::kNano;
  std::vector<model::Column> tags = {};                         ///< in the table's order
  std::shared_ptr<const head::Fields> fields = {};              ///< of types that the head can hold
  std::unordered_map<std::string, std::uint32_t> numbers = {};  ///< of fields, by name
  std::vector<std::string> others = {};                         ///< columns of which the head knows nothing
  std::size_t columns = 0;                                      ///< of the table, all told
  bool grows = false;

  std::vector<std::string> tag_names() const;
};

/// kInvalidInput for a table without a schema or whose index is not time.
Result<std::shared_ptr<const LiveSchema>> make_live_schema(const log::TableState& state);

/// The name of a series as segments and coverage have it. The texts of integer tags are numbers of their type.
SeriesKey series_key(const LiveSchema& schema, const head::SeriesDictionary& series, head::SeriesId id);
/// The reverse: its tags, sorted by name, without empty ones.
Tags tags_of(const LiveSchema& schema, const SeriesKey& key);

}  // namespace marigram::table
