// The files of a zola folder, byte by byte (docs/format/zola.md).
#pragma once

#include "segment/native_block.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::segment {

inline constexpr const char* kZolaSchema = ".schema";
inline constexpr const char* kZolaTime = "timestamp";
inline constexpr const char* kZolaTimeType = "timestamp[us,UTC]";
inline constexpr const char* kZolaSymbol = "symbol";
inline constexpr const char* kZolaParted = ".parted";
inline constexpr const char* kZolaFirstValues = ".first_values";
inline constexpr const char* kZolaLastValues = ".last_values";
inline constexpr const char* kZolaSuffix = ".col";
inline constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

/// A column of .schema.
struct ZolaColumn {
  std::string name;
  ValueKind kind = ValueKind::kInt64;  // or kFloat64

  friend bool operator==(const ZolaColumn&, const ZolaColumn&) = default;
};

/// kCorruption names the line; `doing`: "cannot read .schema".
Result<std::vector<ZolaColumn>> parse_zola_schema(std::string_view text, const std::string& doing);
std::string format_zola_schema(std::span<const ZolaColumn> columns);
/// Whether a column may be called that: a line of .schema, and the name of a file.
bool is_zola_name(std::string_view name);

/// YYYY.MM.DD of a day counted from 1970-01-01; unset beyond the years 0000 to 9999.
std::optional<std::string> zola_date(std::int64_t day);
/// Whether the text has the form of a date.
bool looks_like_zola_date(std::string_view text);
/// Its day; unset if there is no such date.
std::optional<std::int64_t> parse_zola_date(std::string_view text);

/// What a column's file begins with.
struct ZolaHeader {
  static constexpr std::uint32_t kMagic = 0x5A4F4C41;

  std::uint32_t magic = kMagic;
  std::uint32_t version = 1;
  std::uint32_t type = 1;
  std::uint32_t zero = 0;
  std::uint64_t rows = 0;
};
static_assert(sizeof(ZolaHeader) == 24);

/// An entry of .parted.
struct ZolaPart {
  std::int64_t symbol = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
static_assert(sizeof(ZolaPart) == 24);

/// What .first_values and .last_values begin with; behind it symbol, time and values of each symbol, 8 bytes each.
struct ZolaSidecarHeader {
  static constexpr std::uint32_t kMagic = 0x5A534944;

  std::uint32_t magic = kMagic;
  std::uint32_t symbols = 0;
  std::uint32_t columns = 0;
  std::uint32_t zero = 0;
};
static_assert(sizeof(ZolaSidecarHeader) == 16);

constexpr std::uint32_t zola_type(ValueKind kind) {
  return kind == ValueKind::kFloat64 ? 2 : 1;
}

/// Whether the value stands for a null.
constexpr bool is_zola_null(ValueKind kind, std::uint64_t cell) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;
  constexpr std::uint64_t kInfinity = 0x7FF0'0000'0000'0000;
  return kind == ValueKind::kFloat64 ? (cell & ~kSign) > kInfinity : cell == kSign;
}
constexpr std::uint64_t zola_null(ValueKind kind) {
  return kind == ValueKind::kFloat64 ? 0x7FF8'0000'0000'0000 : std::uint64_t{1} << 63U;
}

}  // namespace marigram::segment
