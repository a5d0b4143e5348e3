#include "segment/tag_dictionary.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/type.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

constexpr std::size_t kEntriesMax = 65'536;

/// Numbers for strings, in order of appearance. Guesses that a value is followed by what followed it the last time:
/// itself in rows sorted by series, the next series in a feed that visits all in turn. A right guess costs a
/// comparison.
class Numbering {
 public:
  /// Unset once there are too many.
  std::optional<std::int32_t> number_of(std::string_view value) {
    const std::int32_t guess = followers_[static_cast<std::size_t>(last_)];
    if (guess != 0 && values_[static_cast<std::size_t>(guess) - 1] == value) return (last_ = guess) - 1;
    const auto [entry, is_new] = numbers_.try_emplace(value, static_cast<std::int32_t>(numbers_.size() + 1));
    if (is_new) {
      if (numbers_.size() > kEntriesMax) return std::nullopt;
      values_.push_back(value);
      followers_.push_back(0);
    }
    followers_[static_cast<std::size_t>(last_)] = entry->second;
    return (last_ = entry->second) - 1;
  }
  const std::vector<std::string_view>& values() const { return values_; }

 private:
  std::unordered_map<std::string_view, std::int32_t> numbers_;  // from 1 on
  std::vector<std::string_view> values_;
  std::vector<std::int32_t> followers_{0};  // by number; 0: none yet
  std::int32_t last_ = 0;                   // 0: before the first value
};

}  // namespace

std::shared_ptr<arrow::ChunkedArray> to_dictionary(const arrow::ChunkedArray& strings) {
  if (strings.null_count() > 0) return nullptr;
  Numbering numbering;
  std::vector<std::vector<std::int32_t>> indices;
  for (const auto& chunk : strings.chunks()) {
    const auto& array = static_cast<const arrow::StringArray&>(*chunk);
    auto& numbers = indices.emplace_back(static_cast<std::size_t>(array.length()));
    for (std::int64_t row = 0; row < array.length(); ++row) {
      const auto number = numbering.number_of(array.GetView(row));
      if (!number) return nullptr;
      numbers[static_cast<std::size_t>(row)] = *number;
    }
  }
  arrow::StringBuilder builder;
  for (const std::string_view value : numbering.values()) {
    if (!builder.Append(value).ok()) return nullptr;
  }
  std::shared_ptr<arrow::Array> values;
  if (!builder.Finish(&values).ok()) return nullptr;
  const auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  arrow::ArrayVector chunks;
  for (auto& numbers : indices) {
    const auto length = static_cast<std::int64_t>(numbers.size());
    auto array = std::make_shared<arrow::Int32Array>(length, arrow::Buffer::FromVector(std::move(numbers)));
    chunks.push_back(std::make_shared<arrow::DictionaryArray>(type, std::move(array), values));
  }
  return std::make_shared<arrow::ChunkedArray>(std::move(chunks), type);
}

}  // namespace marigram::segment
