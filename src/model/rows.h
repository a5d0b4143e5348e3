// Rows on their way in: what every protocol makes and the write path takes, column by column.
#pragma once

#include <marigram/error.h>
#include <marigram/tags.h>
#include <marigram/time.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace marigram::model {

/// What a field of a table that is written through the head can hold; each may be null.
enum class FieldType : std::uint8_t { kFloat64, kInt64, kUInt64, kBool, kString };

/// "float64", "int64", "uint64", "bool", "string": the same words as ColumnInfo::type.
const char* field_type_name(FieldType type);

/// A value of a field; monostate is null. The alternatives are in the order of FieldType.
using FieldValue = std::variant<std::monostate, double, std::int64_t, std::uint64_t, bool, std::string>;

/// The values of one field, one a row.
struct FieldColumn {
  std::string name = {};
  FieldType type = FieldType::kFloat64;
  std::vector<std::uint64_t> cells = {};  ///< but for strings: the bits of the value; a bool is 0 or 1; a null is 0
  std::vector<std::string> strings = {};  ///< of strings; a null is empty
  std::vector<std::uint8_t> valid = {};   ///< 0: null, 1: a value; empty if no row is null

  bool is_null(std::size_t row) const { return !valid.empty() && valid[row] == 0; }
  friend bool operator==(const FieldColumn&, const FieldColumn&) = default;
};

/// Rows of one table, in order of arrival. All columns have as many entries as `times`.
struct TableRows {
  std::string table = {};
  TimeUnit unit = TimeUnit::kNano;             ///< of `times`
  std::vector<Tags> series = {};               ///< distinct; each sorted by name, without empty values
  std::vector<std::uint32_t> row_series = {};  ///< positions in `series`
  std::vector<std::int64_t> times = {};        ///< since the Unix epoch
  std::vector<FieldColumn> fields = {};        ///< distinct names

  friend bool operator==(const TableRows&, const TableRows&) = default;
};

/// Rows that are taken whole or not at all. Each table at most once.
struct WriteBatch {
  std::vector<TableRows> tables = {};
};

/// A field and its value in one row.
struct Field {
  std::string_view name = {};
  FieldValue value = {};
};

/// Collects rows of one table. Not thread-safe.
class RowsBuilder {
 public:
  /// `widen`: integers and floats may meet in one field, which then holds floats.
  RowsBuilder(std::string table, TimeUnit unit, bool widen = false);

  /// Tags in any order; empty values are left out. Errors, and nothing is added: kInvalidInput for an empty name, a tag
  /// or a field twice; kSchemaMismatch for a value of another type than the field had in earlier rows.
  Status add(std::span<const Tag> tags, std::int64_t time, std::span<const Field> fields);
  std::size_t rows() const { return rows_.times.size(); }
  /// The rows so far; the builder is empty afterwards.
  TableRows finish();

 private:
  TableRows rows_;
  bool widen_ = false;
  std::unordered_map<std::string, std::uint32_t> series_;  // by their tags, joined
  std::unordered_map<std::string, std::size_t> fields_;    // positions in rows_.fields
  std::string key_;
};

}  // namespace marigram::model
