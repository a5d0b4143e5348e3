#include "model/table_meta.h"

#include <marigram/series.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace marigram::model {
namespace {

bool is_drive(std::string_view part) {
  if (part.size() < 2 || part[1] != ':') return false;
  const char letter = part[0];
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
}

}  // namespace

void fill_absent_tags(SeriesKey& series, std::size_t tags) {
  if (series.size() < tags) series.resize(tags, std::string());
}

void fill_absent_tags(SegmentLayout& layout, std::size_t tags) {
  if (std::holds_alternative<NoSeries>(layout) && tags > 0) layout = SeriesKey();
  if (auto* series = std::get_if<SeriesKey>(&layout)) fill_absent_tags(*series, tags);
}

bool is_canonical_path(std::string_view path) {
  if (path.find_first_of(std::string_view("\\\0", 2)) != std::string_view::npos) return false;
  // Splitting the empty path, a leading, trailing or double '/' all give an empty part.
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || is_drive(part)) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace marigram::model
