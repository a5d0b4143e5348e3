#include <marigram/series.h>

#include <cassert>
#include <cstddef>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace marigram {

std::string format_tag_value(const TagValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          return held;
        } else {
          return std::to_string(held);
        }
      },
      value);
}

std::string format_series(const std::vector<std::string>& columns, const SeriesKey& key) {
  assert(columns.size() == key.size());
  std::string text;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0) text += ',';
    text += columns[i];
    text += '=';
    text += format_tag_value(key[i]);
  }
  return text;
}

}  // namespace marigram
