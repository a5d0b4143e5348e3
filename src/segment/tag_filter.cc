#include "segment/tag_filter.h"

#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace marigram::segment {
namespace {

using model::TypeId;

/// The integer whose decimal form is `text`; unset if there is none.
template <typename T>
std::optional<std::uint64_t> parse_exactly(const std::string& text) {
  T value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || fmt::format("{}", value) != text) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

std::optional<std::uint64_t> parse_as(TypeId type, const std::string& text) {
  switch (type) {
    case TypeId::kInt32:
      return parse_exactly<std::int32_t>(text);
    case TypeId::kInt64:
      return parse_exactly<std::int64_t>(text);
    default:
      return parse_exactly<std::uint64_t>(text);
  }
}

void drop_nulls(const arrow::Array& values, std::span<std::uint8_t> keep) {
  if (values.null_count() == 0) return;
  for (std::size_t i = 0; i < keep.size(); ++i) keep[i] &= values.IsValid(static_cast<std::int64_t>(i)) ? 1 : 0;
}

}  // namespace

Result<TagFilter> TagFilter::make(const TagPredicate& predicate, const model::DataType& type) {
  TagFilter filter;
  filter.column_ = predicate.column;
  filter.type_ = type.id;
  switch (type.id) {
    case TypeId::kUtf8:
      filter.strings_ = predicate.values;
      std::ranges::sort(filter.strings_);
      return filter;
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUInt64:
      for (const std::string& text : predicate.values) {
        if (const auto number = parse_as(type.id, text)) filter.numbers_.push_back(*number);
      }
      std::ranges::sort(filter.numbers_);
      return filter;
    default:
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot select by column {}: its type is {}, want string, int32, int64 or uint64",
                              predicate.column, model::format_type(type)));
  }
}

bool TagFilter::may_match(std::string_view min, std::string_view max) const {
  const auto first = std::ranges::lower_bound(strings_, min, std::less<>{},
                                              [](const std::string& s) -> std::string_view { return s; });
  return first != strings_.end() && std::string_view(*first) <= max;
}

bool TagFilter::may_match(std::int64_t raw_min, std::int64_t raw_max) const {
  return std::ranges::any_of(numbers_, [&](std::uint64_t number) {
    if (type_ == TypeId::kUInt64) {
      return number >= static_cast<std::uint64_t>(raw_min) && number <= static_cast<std::uint64_t>(raw_max);
    }
    return static_cast<std::int64_t>(number) >= raw_min && static_cast<std::int64_t>(number) <= raw_max;
  });
}

bool TagFilter::wants(std::string_view value) const {
  if (strings_.size() == 1) return value == strings_.front();
  return std::ranges::binary_search(strings_, value, std::less<>{});
}

/// Once for each dictionary entry, then a look-up a row.
void TagFilter::apply_dictionary(const arrow::Array& values, std::span<std::uint8_t> keep) const {
  const auto& dictionary = static_cast<const arrow::DictionaryArray&>(values);
  const auto& entries = static_cast<const arrow::BinaryArray&>(*dictionary.dictionary());
  std::vector<std::uint8_t> wanted(static_cast<std::size_t>(entries.length()));
  for (std::int64_t i = 0; i < entries.length(); ++i) {
    wanted[static_cast<std::size_t>(i)] = entries.IsValid(i) && wants(entries.GetView(i)) ? 1 : 0;
  }
  const auto* indices = static_cast<const arrow::Int32Array&>(*dictionary.indices()).raw_values();
  for (std::size_t i = 0; i < keep.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[i]);
    keep[i] &= index < wanted.size() ? wanted[index] : 0;  // a null's index may be anything
  }
}

template <typename T>
void TagFilter::apply_integers(const arrow::Array& values, std::span<std::uint8_t> keep) const {
  const T* raw = values.data()->GetValues<T>(1);
  if (numbers_.size() == 1) {
    const T wanted = static_cast<T>(numbers_.front());
    for (std::size_t i = 0; i < keep.size(); ++i) keep[i] &= raw[i] == wanted ? 1 : 0;
    return;
  }
  for (std::size_t i = 0; i < keep.size(); ++i) {
    keep[i] &= std::ranges::binary_search(numbers_, static_cast<std::uint64_t>(raw[i])) ? 1 : 0;
  }
}

void TagFilter::apply(const arrow::Array& values, std::span<std::uint8_t> keep) const {
  if (values.type_id() == arrow::Type::DICTIONARY) {
    apply_dictionary(values, keep);
  } else if (type_ == TypeId::kUtf8) {
    const auto& strings = static_cast<const arrow::StringArray&>(values);
    for (std::size_t i = 0; i < keep.size(); ++i)
      keep[i] &= wants(strings.GetView(static_cast<std::int64_t>(i))) ? 1 : 0;
  } else if (type_ == TypeId::kInt32) {
    apply_integers<std::int32_t>(values, keep);
  } else {
    apply_integers<std::uint64_t>(values, keep);
  }
  drop_nulls(values, keep);
}

}  // namespace marigram::segment
