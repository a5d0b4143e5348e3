// A tag predicate made ready for the type of its column.
#pragma once

#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace arrow {
class Array;
}

namespace marigram::segment {

/// The wanted values: strings, or integers whose decimal form was asked for ("7" is one, "07" and "x" are none).
class TagFilter {
 public:
  /// kInvalidInput if the column's type is not utf8, int32, int64 or uint64.
  static Result<TagFilter> make(const TagPredicate& predicate, const model::DataType& type);

  const std::string& column() const { return column_; }
  /// Whether the text is wanted; never by a filter of integers.
  bool wants(std::string_view value) const;
  /// Whether a wanted value can lie in the closed range.
  bool may_match(std::string_view min, std::string_view max) const;
  bool may_match(std::int64_t raw_min, std::int64_t raw_max) const;

  /// Clears keep[i] where row i is not wanted or null. `values` has the table's type, or is a dictionary of strings; it
  /// is as long as `keep`.
  void apply(const arrow::Array& values, std::span<std::uint8_t> keep) const;

 private:
  void apply_dictionary(const arrow::Array& values, std::span<std::uint8_t> keep) const;
  template <typename T>
  void apply_integers(const arrow::Array& values, std::span<std::uint8_t> keep) const;

  std::string column_;
  model::TypeId type_ = model::TypeId::kUtf8;
  std::vector<std::string> strings_;    // ascending
  std::vector<std::uint64_t> numbers_;  // raw values, as 64 bits
};

}  // namespace marigram::segment
