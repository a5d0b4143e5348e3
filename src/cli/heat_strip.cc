#include "cli/heat_strip.h"

#include <marigram/coverage.h>
#include <marigram/time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace marigram::cli {

namespace {

constexpr std::array<std::string_view, 9> kBlocks = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 9> kAscii = {".", "-", "-", "-", "=", "=", "+", "+", "#"};

constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kPlain = "\x1b[0m";

// Position on a line, good to about a microsecond near the present: enough for a picture.
long double position(const IndexValue& value) {
  return std::visit(
      [](const auto& held) -> long double {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, Instant>) {
          return static_cast<long double>(held.seconds) + static_cast<long double>(held.nanos) / 1e9L;
        } else {
          return static_cast<long double>(held);
        }
      },
      value);
}

// How many cells' worth of [from, to) each cell misses: 0 (whole) to 1 (empty).
std::vector<double> missing_parts(const CoverageReport& report, std::size_t cells) {
  std::vector<double> missing(cells, 0.0);
  const long double from = position(report.from);
  const long double width = (position(report.to) - from) / static_cast<long double>(cells);
  if (width <= 0) return missing;
  const auto in_cells = [&](const IndexValue& value) {
    return std::clamp((position(value) - from) / width, 0.0L, static_cast<long double>(cells));
  };
  for (const BucketRange& gap : report.gaps) {
    const long double begin = in_cells(gap.from);
    const long double end = in_cells(gap.to);
    for (auto cell = static_cast<std::size_t>(begin); cell < cells && static_cast<long double>(cell) < end; ++cell) {
      const auto left = static_cast<long double>(cell);
      missing[cell] += static_cast<double>(std::min(end, left + 1) - std::max(begin, left));
    }
  }
  return missing;
}

// 8 only where nothing is missing, 0 only where everything is.
std::size_t level_of(double missing) {
  constexpr double kRounding = 1e-9;
  if (missing < kRounding) return 8;
  if (missing > 1 - kRounding) return 0;
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::lround((1 - missing) * 8)), 1, 7);
}

std::string_view color_of(std::size_t level) {
  return level == 8 ? kGreen : level == 0 ? kRed : kYellow;
}

}  // namespace

std::string heat_strip(const CoverageReport& report, const StripStyle& style) {
  std::string out;
  std::string_view color;
  if (report.covered_buckets == 0 && report.expected_buckets == 0) return out;
  for (const double missing : missing_parts(report, style.cells)) {
    const std::size_t level = level_of(missing);
    if (style.color && color != color_of(level)) {
      color = color_of(level);
      out += color;
    }
    out += style.unicode ? kBlocks[level] : kAscii[level];
  }
  if (!color.empty()) out += kPlain;
  return out;
}

}  // namespace marigram::cli
