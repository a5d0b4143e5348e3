// Rows on their way in: what every protocol makes and the write path takes, column by column.
#pragma once

#include <marigram/error.h>
#include <marigram/tags.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
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

/// Collects rows of one table. A row of a known series with known fields costs one hash of its tags and no allocation
/// but that of long strings. Not thread-safe.
class RowsBuilder {
 public:
  /// `widen`: numbers of different types may meet in one field, which then holds floats.
  RowsBuilder(std::string table, TimeUnit unit, bool widen = false);

  /// Tags in any order; empty values are left out. Fields that a row lacks are null there, and a field that is only
  /// ever null is left out. Errors, and nothing is added: kInvalidInput for an empty name, a tag or a field twice;
  /// kSchemaMismatch for a value of another type than the field had in earlier rows.
  Status add(std::span<const Tag> tags, std::int64_t time, std::span<const Field> fields);
  std::size_t rows() const { return rows_.times.size(); }
  /// The rows so far; the builder is empty afterwards.
  TableRows finish();

 private:
  /// What is known of rows_.fields[i] beside its values.
  struct Column {
    bool typed = false;          // there was a value
    std::uint64_t last_add = 0;  // the call of add() that named it last
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename T>
  using ByName = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  Status sort_tags(std::span<const Tag> tags);
  std::uint32_t intern_series();
  Status place_fields(std::span<const Field> fields);
  Status check_type(std::size_t column, const Field& field) const;
  std::size_t find_or_add_column(std::size_t guess, std::string_view name);
  void drop_columns(std::size_t from);
  void put(std::size_t column, const FieldValue& value);

  TableRows rows_;
  bool widen_ = false;
  ByName<std::uint32_t> series_;  // by their tags, joined
  ByName<std::size_t> fields_;    // positions in rows_.fields
  std::vector<Column> columns_;   // beside rows_.fields
  std::uint64_t adds_ = 0;
  // Of the row in hand; members, so that their memory is reused.
  std::vector<const Tag*> tags_;     // sorted by name, without empty values
  std::vector<std::size_t> places_;  // for each field, its column
  std::string key_;                  // tags_, joined
};

}  // namespace marigram::model
