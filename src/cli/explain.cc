#include "cli/explain.h"

#include "cli/context.h"
#include "cli/text_table.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace marigram::cli {

void add_explain(CLI::App& command, bool& explain) {
  command.add_flag("--explain", explain, "Tell at the end what was read, and what need not be");
}

void explain(const QueryStatistics& statistics) {
  for (const RollupUse& use : statistics.rollups) {
    note(fmt::format("rollups of {}: {}", use.interval, count_of(use.rows, "row")));
  }
  note(fmt::format("read {} of {}", statistics.segments_read, count_of(statistics.segments, "segment")));
  note(fmt::format("blocks: {} skipped, {} answered by statistics, {} decoded", statistics.blocks_skipped,
                   statistics.blocks_answered, statistics.blocks_decoded));
  note(fmt::format("{} scanned besides", count_of(statistics.rows_scanned, "row")));
}

void explain(const AsofStatistics& statistics) {
  note(fmt::format("read {} of {} of time for the probes in them, {} by a scan", statistics.windows_read,
                   count_of(statistics.windows, "window"), statistics.windows_scanned));
  note(fmt::format("read {} for probes whose row lies in another", count_of(statistics.looked_back, "window")));
}

}  // namespace marigram::cli
