// Rollups as commands take and show them.
#pragma once

#include <marigram/error.h>
#include <marigram/rollup.h>

#include <string>
#include <vector>

namespace marigram::cli {

class Command;
struct Context;

struct RollupTexts {
  std::vector<std::string> intervals;
  std::string timezone;
  std::string origin;
  std::vector<std::string> percentiles;
};

/// Declares `name` (--rollups, --set) for the intervals, and --rollup-timezone, --rollup-origin and --percentiles.
void add_rollup_options(const Command& command, const std::string& name, RollupTexts& texts);
/// What the library takes, which checks it. A usage error: some of the others without intervals.
Result<RollupOptions> parse_rollups(Context& context, const RollupTexts& texts);

/// What `rollup` and `db rollup` do to a table.
struct RollupChange {
  RollupTexts rollups;
  bool none = false;
  bool dry_run = false;

  /// Whether other levels are chosen; `wanted`: as parse_rollups took them.
  bool chooses(const RollupOptions& wanted) const { return none || !wanted.intervals.empty(); }
};
/// Declares --set and what belongs to it, --none and --dry-run.
void add_rollup_change(const Command& command, RollupChange& change);

/// The levels, and what a refresh did, if there was one.
Status print_rollups(Context& context, const std::string& table, const std::vector<RollupInfo>& levels,
                     const RefreshReport* refresh);

}  // namespace marigram::cli
