#include "base/quantity_text.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>

namespace marigram {

std::string group_digits(std::uint64_t value) {
  std::string digits = fmt::format("{}", value);
  for (std::size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, 1, ',');
  return digits;
}

std::string count_of(std::uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", group_digits(count), singular, count == 1 ? "" : "s");
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace marigram
