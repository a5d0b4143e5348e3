// Test support: what a parser made of a text, row by row, however the text was cut.
#pragma once

#include "model/rows.h"
#include "wire/row_parser.h"

#include <marigram/tags.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::wire::test {

struct Point {
  std::string table = {};
  Tags tags = {};                                        // sorted by name
  std::map<std::string, model::FieldValue> fields = {};  // without nulls
  std::int64_t time = 0;

  friend bool operator==(const Point&, const Point&) = default;
};

inline void PrintTo(const Point& point, std::ostream* out) {
  *out << point.table;
  for (const Tag& tag : point.tags) *out << ',' << tag.name << '=' << tag.value;
  for (const auto& [name, value] : point.fields) {
    *out << ' ' << name << '=';
    std::visit(
        [out]<typename T>(const T& alternative) {
          if constexpr (!std::is_same_v<T, std::monostate>) *out << alternative;
        },
        value);
    *out << " (" << value.index() << ')';
  }
  *out << " @" << point.time;
}

inline model::FieldValue value_at(const model::FieldColumn& column, std::size_t row) {
  switch (column.type) {
    case model::FieldType::kFloat64:
      return std::bit_cast<double>(column.cells[row]);
    case model::FieldType::kInt64:
      return std::bit_cast<std::int64_t>(column.cells[row]);
    case model::FieldType::kUInt64:
      return column.cells[row];
    case model::FieldType::kBool:
      return column.cells[row] != 0;
    case model::FieldType::kString:
      return column.strings[row];
  }
  return {};
}

inline std::vector<Point> points_of(const model::WriteBatch& batch) {
  std::vector<Point> points;
  for (const model::TableRows& rows : batch.tables) {
    for (std::size_t row = 0; row < rows.times.size(); ++row) {
      Point& point = points.emplace_back();
      point = {.table = rows.table, .tags = rows.series.at(rows.row_series[row]), .time = rows.times[row]};
      for (const model::FieldColumn& column : rows.fields) {
        if (!column.is_null(row)) point.fields[column.name] = value_at(column, row);
      }
    }
  }
  return points;
}

struct Parsed {
  std::vector<Point> points = {};
  std::vector<RowError> errors = {};
  std::uint64_t error_count = 0;

  friend bool operator==(const Parsed&, const Parsed&) = default;
};

/// Feeds `text` in pieces of the sizes that `next_size` gives (0: the rest).
template <typename NextSize>
Parsed parse_in_pieces(RowParser& parser, std::string_view text, NextSize&& next_size) {
  while (!text.empty()) {
    const std::size_t size = std::min<std::size_t>(next_size(), text.size());
    parser.feed(text.substr(0, size == 0 ? text.size() : size));
    text.remove_prefix(size == 0 ? text.size() : size);
  }
  parser.finish();
  return {.points = points_of(parser.take()), .errors = parser.errors(), .error_count = parser.error_count()};
}

inline Parsed parse_whole(RowParser& parser, std::string_view text) {
  return parse_in_pieces(parser, text, [] { return 0; });
}

}  // namespace marigram::wire::test
