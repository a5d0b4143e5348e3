// The name of a series: the values of a table's tag columns, in the order of the table's tags.
#pragma once

#include <marigram/export.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace marigram {

/// A tag's value. Alternatives are ordered as the table format orders them (utf8, int32, int64, uint64); the type is
/// part of the value: int32 7 and int64 7 name different series.
using TagValue = std::variant<std::string, std::int32_t, std::int64_t, std::uint64_t>;

/// One value per tag column; of a growing table "" where the series lacks the tag. Empty for a table without tags.
/// Compares lexicographically; strings by bytes.
using SeriesKey = std::vector<TagValue>;

/// A condition on one tag column: its value is one of `values` (string comparison of the tag's decimal or text form).
struct TagPredicate {
  std::string column = {};
  std::vector<std::string> values = {};

  friend bool operator==(const TagPredicate&, const TagPredicate&) = default;
};

/// `AAPL` or `7`.
MARIGRAM_EXPORT std::string format_tag_value(const TagValue& value);
/// `symbol=AAPL,venue=7`; empty for no tags. `columns` and `key` have the same length.
MARIGRAM_EXPORT std::string format_series(const std::vector<std::string>& columns, const SeriesKey& key);

}  // namespace marigram
