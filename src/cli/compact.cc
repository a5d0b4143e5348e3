#include "cli/compact.h"

#include "cli/command.h"
#include "cli/text_table.h"

#include <fmt/format.h>

namespace marigram::cli {

void add_compact_options(const Command& command, CompactTexts& texts) {
  add_tiered(command, texts.tiered);
  add_dry_run(command, texts.dry_run, "Change nothing, only say how much would be rewritten");
}

std::string summary_of(const CompactReport& report, const std::string& what, bool dry_run) {
  const std::string before =
      fmt::format("{} ({})", count_of(report.before.segments, "segment"), format_bytes(report.before.bytes));
  if (dry_run) return fmt::format("would rewrite {} of {}", before, what);
  return fmt::format("compacted {}: {} became {} ({})", what, before, group_digits(report.after.segments),
                     format_bytes(report.after.bytes));
}

}  // namespace marigram::cli
