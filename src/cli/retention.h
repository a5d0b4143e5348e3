// Retention as commands take and show it.
#pragma once

#include <marigram/error.h>
#include <marigram/retention.h>

#include <optional>
#include <string>
#include <vector>

namespace marigram::cli {

class Command;
struct Context;

/// What `retention` and `db retention` do to a table.
struct RetentionChange {
  std::vector<std::string> keep;
  bool none = false;
  bool dry_run = false;
};
/// Declares --keep.
void add_keep(const Command& command, std::vector<std::string>& keep);
/// Declares --keep, --none and --dry-run.
void add_retention_change(const Command& command, RetentionChange& change);
/// What the library takes, which checks the rest; unset: no rules are chosen. A usage error: one that cannot be read.
Result<std::optional<std::vector<RetentionRule>>> parse_rules(Context& context, const RetentionChange& change);
Result<std::vector<RetentionRule>> parse_rules(Context& context, const std::vector<std::string>& keep);

/// The rules, and what went, or would have.
Status print_retention(Context& context, const std::string& table, const std::vector<RetentionInfo>& rules,
                       const ExpiryReport& report, bool dry_run);

}  // namespace marigram::cli
