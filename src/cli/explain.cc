#include "cli/explain.h"

#include "cli/command.h"
#include "cli/context.h"
#include "cli/text_table.h"

#include <fmt/format.h>

namespace marigram::cli {

void add_explain(const Command& command, bool& explain) {
  command.flag("--explain", explain, "Tell at the end what was read, and what need not be");
}

std::vector<std::string> describe(const QueryStatistics& statistics) {
  std::vector<std::string> lines;
  lines.reserve(statistics.rollups.size() + 3);
  for (const RollupUse& use : statistics.rollups) {
    lines.push_back(fmt::format("rollups of {}: {}", use.interval, count_of(use.rows, "row")));
  }
  lines.push_back(fmt::format("read {} of {}", statistics.segments_read, count_of(statistics.segments, "segment")));
  lines.push_back(fmt::format("blocks: {} skipped, {} answered by statistics, {} decoded", statistics.blocks_skipped,
                              statistics.blocks_answered, statistics.blocks_decoded));
  lines.push_back(fmt::format("{} scanned besides", count_of(statistics.rows_scanned, "row")));
  return lines;
}

void explain(const QueryStatistics& statistics) {
  for (const std::string& line : describe(statistics)) note(line);
}

void explain(const AsofStatistics& statistics) {
  note(fmt::format("read {} of {} of time for the probes in them, {} by a scan", statistics.windows_read,
                   count_of(statistics.windows, "window"), statistics.windows_scanned));
  note(fmt::format("read {} for probes whose row lies in another", count_of(statistics.looked_back, "window")));
}

}  // namespace marigram::cli
