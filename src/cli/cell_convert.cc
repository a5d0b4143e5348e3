#include "cli/cell_convert.h"

#include "cli/column_plan.h"
#include "cli/row_source.h"
#include "cli/time_format.h"
#include "segment/time_units.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <fmt/format.h>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_time.h>
#include <arrow/compute/cast.h>
#include <arrow/status.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace marigram::cli {

namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Converted = std::expected<ArrayPtr, BadCell>;

bool is_absent(std::string_view text) {
  return text.empty() || text == "NA" || text == "NaN" || text == "nan" || text == "N/A" || text == "null" ||
         text == "NULL";
}

std::unexpected<BadCell> arrow_problem(const arrow::Status& status) {
  return std::unexpected(BadCell{.value = std::nullopt, .row = 0, .problem = status.message()});
}

// The text of a cell that stands for a time; unset for a null.
std::optional<std::string> time_text(const arrow::Array& cells, std::int64_t row) {
  if (cells.IsNull(row)) return std::nullopt;
  switch (cells.type_id()) {
    case arrow::Type::STRING: {
      const std::string_view text = static_cast<const arrow::StringArray&>(cells).GetView(row);
      return is_absent(text) ? std::nullopt : std::optional<std::string>(text);
    }
    case arrow::Type::DOUBLE:
      return fmt::format("{}", static_cast<const arrow::DoubleArray&>(cells).Value(row));
    default:
      break;
  }
  const auto scalar = cells.GetScalar(row);
  return scalar.ok() ? (*scalar)->ToString() : std::string();
}

// What was written where a time is missing, to find it again.
std::string absent_text(const arrow::Array& cells, std::int64_t row) {
  return cells.IsNull(row) || cells.type_id() != arrow::Type::STRING
             ? ""
             : std::string(static_cast<const arrow::StringArray&>(cells).GetView(row));
}

Converted parse_times(const arrow::Array& cells, const PlannedColumn& column, TimeFormat& format) {
  const auto& type = static_cast<const arrow::TimestampType&>(*column.field->type());
  const TimeUnit unit = segment::unit_of(type);
  TimeFormat standard;
  TimeFormat& reader = column.is_time ? format : standard;
  arrow::TimestampBuilder builder(column.field->type(), arrow::default_memory_pool());
  if (const auto reserved = builder.Reserve(cells.length()); !reserved.ok()) return arrow_problem(reserved);
  for (std::int64_t row = 0; row < cells.length(); ++row) {
    const auto text = time_text(cells, row);
    if (!text) {
      if (column.is_time) {
        return std::unexpected(
            BadCell{.value = absent_text(cells, row), .row = row, .problem = "got no value, want a time"});
      }
      builder.UnsafeAppendNull();
      continue;
    }
    const auto instant = reader.read(*text);
    if (!instant) {
      const std::string want = column.is_time && reader.name() == "RFC 3339"
                                   ? fmt::format("got \"{}\", want an RFC 3339 time; --time-format reads others ({})",
                                                 *text, instant.error().message)
                                   : instant.error().message;
      return std::unexpected(BadCell{.value = text, .row = row, .problem = want});
    }
    const auto units = to_units_exact(*instant, unit);
    if (!units) {
      return std::unexpected(BadCell{.value = text,
                                     .row = row,
                                     .problem = fmt::format("got \"{}\", want a time in {}; --unit of "
                                                            "a new table may be ms, us or ns ({})",
                                                            *text, time_unit_name(unit), units.error().message)});
    }
    builder.UnsafeAppend(*units);
  }
  auto array = builder.Finish();
  if (!array.ok()) return arrow_problem(array.status());
  return *array;
}

// A timestamp keeps its instant whatever zone it is shown in, so zones are relabelled before units are converted.
Converted convert_timestamps(const ArrayPtr& cells, const arrow::TimestampType& to) {
  const auto& from = static_cast<const arrow::TimestampType&>(*cells->type());
  auto relabelled = cells->View(arrow::timestamp(from.unit(), to.timezone()));
  if (!relabelled.ok()) return arrow_problem(relabelled.status());
  auto cast = arrow::compute::Cast(**relabelled, arrow::timestamp(to.unit(), to.timezone()));
  if (!cast.ok()) return arrow_problem(cast.status());
  return *cast;
}

Converted absent_to_null(const ArrayPtr& cells) {
  const auto& strings = static_cast<const arrow::StringArray&>(*cells);
  std::int64_t first = 0;
  while (first < strings.length() && (strings.IsNull(first) || !is_absent(strings.GetView(first)))) ++first;
  if (first == strings.length()) return cells;
  arrow::StringBuilder builder;
  for (std::int64_t row = 0; row < strings.length(); ++row) {
    const bool null = strings.IsNull(row) || is_absent(strings.GetView(row));
    const auto appended = null ? builder.AppendNull() : builder.Append(strings.GetView(row));
    if (!appended.ok()) return arrow_problem(appended);
  }
  auto array = builder.Finish();
  if (!array.ok()) return arrow_problem(array.status());
  return *array;
}

Converted check_tags(const ArrayPtr& cells) {
  const auto& strings = static_cast<const arrow::StringArray&>(*cells);
  for (std::int64_t row = 0; row < strings.length(); ++row) {
    if (strings.IsNull(row) || strings.value_length(row) == 0) {
      return std::unexpected(BadCell{.value = "", .row = row, .problem = "got no value, want one, since it is a tag"});
    }
  }
  return cells;
}

}  // namespace

Converted convert_cells(const ArrayPtr& cells, const PlannedColumn& column, TimeFormat& format, bool text) {
  const arrow::DataType& to = *column.field->type();
  const bool is_string = cells->type_id() == arrow::Type::STRING;
  if (to.id() == arrow::Type::TIMESTAMP) {
    if (cells->type_id() == arrow::Type::TIMESTAMP) {
      return convert_timestamps(cells, static_cast<const arrow::TimestampType&>(to));
    }
    const bool epoch = column.is_time && format.epoch_unit() && arrow::is_numeric(cells->type_id());
    if (is_string || epoch) return parse_times(*cells, column, format);
    if (column.is_time) {
      return std::unexpected(BadCell{.value = std::nullopt,
                                     .row = 0,
                                     .problem = fmt::format("got {}, want times; say --time-format epoch_s, epoch_ms, "
                                                            "epoch_us or epoch_ns if these are counts",
                                                            type_name(*cells->type()))});
    }
  }
  if (text && is_string && column.is_tag) return column.may_lack ? Converted(cells) : check_tags(cells);
  if (text && is_string && to.id() == arrow::Type::STRING) return absent_to_null(cells);
  if (cells->type()->Equals(to)) return cells;
  auto cast = arrow::compute::Cast(*cells, column.field->type());
  if (!cast.ok()) return arrow_problem(cast.status());
  return *cast;
}

}  // namespace marigram::cli
