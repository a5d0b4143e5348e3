#include "model/table_meta.h"

#include <cstddef>
#include <string_view>

namespace marigram::model {
namespace {

bool is_drive(std::string_view part) {
  if (part.size() < 2 || part[1] != ':') return false;
  const char letter = part[0];
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
}

}  // namespace

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
