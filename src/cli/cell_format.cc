#include "cli/cell_format.h"

#include "segment/time_units.h"

#include <marigram/time.h>

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>
#include <arrow/visit_array_inline.h>

namespace marigram::cli {

namespace {

template <std::floating_point Float>
void append_float(Float value, std::string& out) {
  const std::size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), "{}", value);
  // 1 stays recognisable as a float: 1.0.
  const bool integral = std::all_of(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
                                    [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
  if (integral) out += ".0";
}

void append_hex(std::string_view bytes, std::string& out) {
  for (const char byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(byte));
}

enum class Style { kText, kJson };

// Appends one non-null value. A visitor over Arrow's array classes.
struct CellVisitor {
  std::int64_t row;
  Style style;
  std::string& out;

  arrow::Status Visit(const arrow::BooleanArray& array) {
    out += array.Value(row) ? "true" : "false";
    return arrow::Status::OK();
  }

  template <typename ArrayType>
    requires(arrow::is_integer_type<typename ArrayType::TypeClass>::value)
  arrow::Status Visit(const ArrayType& array) {
    fmt::format_to(std::back_inserter(out), "{}", array.Value(row));
    return arrow::Status::OK();
  }

  template <typename ArrayType>
    requires(std::same_as<ArrayType, arrow::FloatArray> || std::same_as<ArrayType, arrow::DoubleArray>)
  arrow::Status Visit(const ArrayType& array) {
    const auto value = array.Value(row);
    if (style == Style::kJson && !std::isfinite(value)) {
      out += "null";
    } else {
      append_float(value, out);
    }
    return arrow::Status::OK();
  }

  template <typename ArrayType>
    requires(arrow::is_string_type<typename ArrayType::TypeClass>::value)
  arrow::Status Visit(const ArrayType& array) {
    return string(array.GetView(row));
  }

  template <typename ArrayType>
    requires(arrow::is_binary_type<typename ArrayType::TypeClass>::value ||
             std::same_as<ArrayType, arrow::FixedSizeBinaryArray>)
  arrow::Status Visit(const ArrayType& array) {
    std::string hex;
    append_hex(array.GetView(row), hex);
    return string(hex);
  }

  arrow::Status Visit(const arrow::TimestampArray& array) {
    const auto& type = arrow::internal::checked_cast<const arrow::TimestampType&>(*array.type());
    return string(format_rfc3339(Instant::from_units(array.Value(row), segment::unit_of(type))));
  }

  arrow::Status Visit(const arrow::Decimal128Array& array) { return string(array.FormatValue(row)); }

  arrow::Status Visit(const arrow::DictionaryArray& array) {
    const std::int64_t index = array.GetValueIndex(row);
    if (style == Style::kJson) {
      append_json(*array.dictionary(), index, out);
    } else {
      append_text(*array.dictionary(), index, out);
    }
    return arrow::Status::OK();
  }

  template <typename ArrayType>
    requires(std::same_as<ArrayType, arrow::ListArray> || std::same_as<ArrayType, arrow::LargeListArray> ||
             std::same_as<ArrayType, arrow::FixedSizeListArray> || std::same_as<ArrayType, arrow::MapArray>)
  arrow::Status Visit(const ArrayType& array) {
    out += '[';
    for (std::int64_t i = array.value_offset(row); i < array.value_offset(row) + array.value_length(row); ++i) {
      if (i > array.value_offset(row)) out += ',';
      append_json(*array.values(), i, out);
    }
    out += ']';
    return arrow::Status::OK();
  }

  arrow::Status Visit(const arrow::StructArray& array) {
    out += '{';
    for (int i = 0; i < array.num_fields(); ++i) {
      if (i > 0) out += ',';
      append_json_string(array.struct_type()->field(i)->name(), out);
      out += ':';
      append_json(*array.field(i), row, out);
    }
    out += '}';
    return arrow::Status::OK();
  }

  // What tables do not hold, but a newer library might hand us: Arrow's own text.
  arrow::Status Visit(const arrow::Array& array) {
    auto scalar = array.GetScalar(row);
    return string(scalar.ok() ? (*scalar)->ToString() : scalar.status().ToString());
  }

  arrow::Status string(std::string_view text) {
    if (style == Style::kJson) {
      append_json_string(text, out);
    } else {
      out += text;
    }
    return arrow::Status::OK();
  }
};

void visit_cell(const arrow::Array& column, CellVisitor visitor) {
  // The visitor itself never fails; Arrow would for a type it does not know, and then there is nothing to show.
  if (const auto visited = arrow::VisitArrayInline(column, &visitor); !visited.ok()) visitor.out += visited.ToString();
}

}  // namespace

void append_text(const arrow::Array& column, std::int64_t row, std::string& out) {
  if (!column.IsNull(row)) visit_cell(column, {.row = row, .style = Style::kText, .out = out});
}

void append_json(const arrow::Array& column, std::int64_t row, std::string& out) {
  if (column.IsNull(row)) {
    out += "null";
  } else {
    visit_cell(column, {.row = row, .style = Style::kJson, .out = out});
  }
}

void append_json_string(std::string_view text, std::string& out) {
  const bool plain =
      std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
  if (plain) {
    out += '"';
    out += text;
    out += '"';
  } else {
    out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

bool is_number(const arrow::Array& column) {
  return arrow::is_numeric(column.type_id()) || arrow::is_decimal(column.type_id());
}

}  // namespace marigram::cli
