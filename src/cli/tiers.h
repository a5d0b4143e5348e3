// Tiers as commands take and show them.
#pragma once

#include <marigram/error.h>
#include <marigram/tier.h>

#include <string>
#include <vector>

namespace marigram::cli {

class Command;
struct Context;

/// What a table is to do with old rows, as options say it; empty: as before, or as the library does.
struct TierTexts {
  std::string after;
  std::string segments;
  std::string compression;
  std::string root;
};
/// Declares --cold-after, --cold-segments, --cold-compression and --cold-root.
void add_tier_options(const Command& command, TierTexts& texts);
/// Those of `before` but for what the texts say.
TierOptions change_tiers(const TierTexts& texts, const TierOptions& before);

/// What lies where, and what moved, or would.
Status print_tiers(Context& context, const std::string& table, const TierOptions& tiers,
                   const std::vector<TierUsage>& usage, const TierReport& report, bool dry_run);

}  // namespace marigram::cli
