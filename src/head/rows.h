// Rows in the head: times and the values of each field, column by column, as model/rows.h has them on their way in.
#pragma once

#include "head/series_set.h"
#include "model/rows.h"

#include <cstddef>
#include <cstdint>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::head {

class StringArena;

struct FieldSpec {
  std::string name = {};
  model::FieldType type = model::FieldType::kFloat64;

  friend bool operator==(const FieldSpec&, const FieldSpec&) = default;
};

/// The fields of a table, in its order. Fields are only added, at the end.
using Fields = std::vector<FieldSpec>;

/// The values of one field. Null: not valid, and zero or empty.
struct Column {
  std::vector<std::uint64_t> cells = {};       ///< but for strings: the bits of the value
  std::vector<std::string_view> strings = {};  ///< of strings; they live in an arena beside
  std::vector<std::uint8_t> valid = {};
  model::FieldType type = model::FieldType::kFloat64;

  explicit Column(model::FieldType field_type) : type(field_type) {}

  bool is_text() const { return type == model::FieldType::kString; }

  void reserve(std::size_t rows);
  void append(const Column& from, std::size_t begin, std::size_t count);
  void append_nulls(std::size_t count);
};

/// Appends the values at the positions. `from` may grow meanwhile, within its capacity.
template <typename From, typename T>
void gather(const From& from, std::span<const std::uint32_t> positions, std::vector<T>& to) {
  const auto value = [values = from.data()](std::uint32_t position) -> const T& { return values[position]; };
  const auto chosen = std::views::transform(positions, value);
  to.insert(to.end(), chosen.begin(), chosen.end());
}

/// Rows of one or several series, in an order that their owner knows.
struct Rows {
  std::vector<std::int64_t> times = {};
  std::vector<Column> columns = {};  ///< of the first fields of the table, or of those that were asked for

  Rows() = default;
  explicit Rows(const Fields& fields);

  std::size_t size() const { return times.size(); }
  void reserve(std::size_t rows);
  /// Rows [begin, begin + count) of `from`, of the columns at the positions `chosen`, or of the first ones if that is
  /// empty; nulls for those behind its end. Strings stay where they are.
  void append(const Rows& from, std::size_t begin, std::size_t count, std::span<const std::uint32_t> chosen = {});
  /// Moves all strings from `begin` on into the arena.
  void keep_strings(std::size_t begin, StringArena& arena);
  /// Bytes taken, without those of strings.
  std::size_t bytes() const;
};

/// What equal times of one series mean.
enum class EqualTimes {
  kKeep,  ///< all rows stay, in order of arrival
  kLast,  ///< the row that arrived last stays
};

/// A stretch of rows in order of time, at least one.
struct Stretch {
  const Rows* rows = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::span<const std::uint32_t> chosen = {};  ///< as in Rows::append
};

/// Appends the rows of several stretches of one series by time, equal times in the order of the stretches. O(rows) if
/// no stretch reaches into the one before, else O(rows log rows).
void merge_stretches(std::span<const Stretch> stretches, EqualTimes equal, Rows& out);

}  // namespace marigram::head
