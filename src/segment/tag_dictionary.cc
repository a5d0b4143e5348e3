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

/// Numbers for strings, in order of appearance; remembers the last one.
class Numbering {
 public:
  /// Unset once there are too many.
  std::optional<std::int32_t> number_of(std::string_view value) {
    if (last_ >= 0 && value == last_value_) return last_;
    const auto [entry, is_new] = numbers_.try_emplace(value, static_cast<std::int32_t>(numbers_.size()));
    if (is_new) {
      if (numbers_.size() > kEntriesMax) return std::nullopt;
      values_.push_back(value);
    }
    last_value_ = value;
    last_ = entry->second;
    return last_;
  }
  const std::vector<std::string_view>& values() const { return values_; }

 private:
  std::unordered_map<std::string_view, std::int32_t> numbers_;
  std::vector<std::string_view> values_;
  std::string_view last_value_;
  std::int32_t last_ = -1;
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
