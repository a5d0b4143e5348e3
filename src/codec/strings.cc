#include "codec/strings.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace marigram::codec {

void encode_strings(std::span<const std::string_view> values, Buffer& out, Method method) {
  std::unordered_map<std::string_view, std::int64_t> numbers;
  std::vector<std::int64_t> lengths;
  std::vector<std::int64_t> indices;
  indices.reserve(values.size());
  Buffer text;
  for (const std::string_view value : values) {
    const auto [entry, is_new] = numbers.try_emplace(value, static_cast<std::int64_t>(numbers.size()));
    indices.push_back(entry->second);
    if (!is_new) continue;
    lengths.push_back(static_cast<std::int64_t>(value.size()));
    text.insert(text.end(), value.begin(), value.end());
  }
  put_uleb128(lengths.size(), out);
  encode_integers(lengths, 0, out, method);
  out.insert(out.end(), text.begin(), text.end());
  encode_integers(indices, 0, out, method);
}

bool decode_strings(Bytes& bytes, std::span<std::string_view> values) {
  const auto distinct = take_uleb128(bytes);
  if (!distinct || *distinct == 0 || *distinct > values.size()) return false;
  std::vector<std::int64_t> lengths(*distinct);
  if (!decode_integers(bytes, 0, lengths)) return false;
  std::vector<std::string_view> strings;
  strings.reserve(lengths.size());
  for (const std::int64_t length : lengths) {
    if (length < 0 || static_cast<std::uint64_t>(length) > bytes.size()) return false;
    const auto size = static_cast<std::size_t>(length);
    strings.emplace_back(reinterpret_cast<const char*>(bytes.data()), size);
    bytes = bytes.subspan(size);
  }
  std::vector<std::int64_t> indices(values.size());
  if (!decode_integers(bytes, 0, indices)) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto index = static_cast<std::uint64_t>(indices[i]);
    if (index >= strings.size()) return false;
    values[i] = strings[index];
  }
  return true;
}

}  // namespace marigram::codec
