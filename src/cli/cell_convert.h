// From a file's values to a table's: times parsed, absent text made null, numbers widened.
#pragma once

#include "cli/column_plan.h"
#include "cli/time_format.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

namespace arrow {
class Array;
}

namespace marigram::cli {

/// Which value could not be converted.
struct BadCell {
  std::optional<std::string> value;  ///< as text; unset: Arrow's message says it
  std::int64_t row = 0;              ///< in the array
  std::string problem;               ///< `got "x", want ...`
};

/// `text` says that the file was text: then an empty cell, NA and NaN are no value, also in a string field. In a tag
/// they are kept, but an empty tag is refused, as is an empty time.
std::expected<std::shared_ptr<arrow::Array>, BadCell> convert_cells(const std::shared_ptr<arrow::Array>& cells,
                                                                    const PlannedColumn& column, TimeFormat& format,
                                                                    bool text);

}  // namespace marigram::cli
