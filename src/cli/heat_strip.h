// A line of blocks that shows at a glance where a table or a series has data.
#pragma once

#include <marigram/coverage.h>

#include <cstddef>
#include <string>

namespace marigram::cli {

/// How a strip is drawn.
struct StripStyle {
  std::size_t cells = 60;
  bool color = false;
  bool unicode = true;
};

/// The report's range cut into `cells` equal stretches, each drawn by the part of it that no gap takes: a full block
/// only where nothing is missing, an empty cell only where all is. Closed hours of a calendar count as present.
/// Cost: cells + gaps.
std::string heat_strip(const CoverageReport& report, const StripStyle& style);

}  // namespace marigram::cli
