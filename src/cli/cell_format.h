// One value of a column as text, exactly: floats shortest round-trip, times RFC 3339.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace arrow {
class Array;
}

namespace marigram::cli {

/// Appends the value's text: what CSV and tables show, before any quoting. Appends nothing for a null. Binary is hex.
void append_text(const arrow::Array& column, std::int64_t row, std::string& out);

/// Appends the value as JSON: null for nulls, NaN and infinities; times, decimals and binary (hex) as strings; lists
/// and structs nested.
void append_json(const arrow::Array& column, std::int64_t row, std::string& out);

/// Appends a JSON string literal; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string_view text, std::string& out);

/// Whether a table aligns the column to the right.
bool is_number(const arrow::Array& column);

}  // namespace marigram::cli
