// A table's columns: names, logical types, nullability; the type system of the table format (both dialects).
#pragma once

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::model {

enum class TypeId {
  kBool,
  kInt32,
  kInt64,
  kUInt64,  // v7
  kFloat32,
  kFloat64,
  kBinary,
  kFixedBinary,
  kUtf8,
  kInt96,      // read from v1 metadata only; no table can store it
  kTimestamp,  // s is refused: Parquet cannot store it
  kDecimal,
  kStruct,
  kList,
  kMap,
  kOther,  // read from metadata only
};

/// Integers and floats, whose values can be added and compared by size.
constexpr bool is_number(TypeId type) {
  return type == TypeId::kInt32 || type == TypeId::kInt64 || type == TypeId::kUInt64 || type == TypeId::kFloat32 ||
         type == TypeId::kFloat64;
}

using Metadata = std::map<std::string, std::string>;

struct Column;

/// A logical type. Only the members that belong to `id` are set.
struct DataType {
  TypeId id = TypeId::kInt64;
  std::int32_t byte_width = 0;               // kFixedBinary
  TimeUnit unit = TimeUnit::kMicro;          // kTimestamp
  std::optional<std::string> timezone = {};  // kTimestamp
  std::int32_t precision = 0;                // kDecimal
  std::int32_t scale = 0;                    // kDecimal
  std::vector<Column> children;              // kStruct: fields; kList: element; kMap: key and, unless keys-only, value
  bool keys_sorted = false;                  // kMap
  Metadata entries_metadata = {};            // kMap
  Metadata null_value_metadata = {};         // kMap, keys-only
  std::string other_name = {};               // kOther

  friend bool operator==(const DataType&, const DataType&);
};

struct Column {
  std::string name = {};
  DataType type = {};
  bool nullable = true;
  Metadata metadata = {};  // v7; opaque annotations

  friend bool operator==(const Column&, const Column&) = default;
};

inline bool operator==(const DataType& a, const DataType& b) {
  return a.id == b.id && a.byte_width == b.byte_width && a.unit == b.unit && a.timezone == b.timezone &&
         a.precision == b.precision && a.scale == b.scale && a.children == b.children &&
         a.keys_sorted == b.keys_sorted && a.entries_metadata == b.entries_metadata &&
         a.null_value_metadata == b.null_value_metadata && a.other_name == b.other_name;
}

struct Schema {
  std::vector<Column> columns = {};
  Metadata metadata = {};  // v7

  friend bool operator==(const Schema&, const Schema&) = default;

  const Column* find(std::string_view name) const;
  bool has_metadata() const;  // anywhere, nested included
};

/// The user's spelling of a type: `timestamp[us,UTC]`, `float64`, `string`, `decimal(10,2)`, `fixed_binary[16]`;
/// nested types print (`list<float64>`, `struct<a: int64>`) but do not parse.
std::string format_type(const DataType& type);
/// The reverse; also double, float, int, long, text, utf8, bool/boolean. kInvalidInput names the text and lists types.
Result<DataType> parse_type(std::string_view text);
ColumnInfo to_info(const Column& column);
Result<Column> from_info(const ColumnInfo& info);

/// Names are non-empty, distinct, without NUL; types can be stored. kInvalidInput.
Status validate_schema(const Schema& schema);

/// Equal but for what says nothing of the values: annotations; the names of a list's element and of a map's key and
/// value, which each program chooses for itself; the zone a timestamp is labelled with for display.
bool same_values(const DataType& a, const DataType& b);

/// Whether values of `from` may be appended to a column of `to` in a v7 table, as timeseries-table-format 0.9 allows:
/// the same type but for annotations (and the names within a list or a map), or lossless widening: int8, int16 → int32;
/// int8, int16, int32 → int64; uint8, uint16, uint32 → uint64; float32 → float64. No other, int32 → float64 included.
/// Types that no table has (int8 ...) are kOther with that `other_name`. v1 wants equal types (and nullability)
/// instead.
bool can_widen(const DataType& from, const DataType& to);

}  // namespace marigram::model
