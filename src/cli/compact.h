// What compactions of a table and of a database have in common.
#pragma once

#include <marigram/table.h>

#include <string>

namespace marigram::cli {

class Command;

struct CompactTexts {
  bool tiered = false;
  bool dry_run = false;
};
/// Declares --tiered and --dry-run.
void add_compact_options(const Command& command, CompactTexts& texts);

/// What was done to `what`, or would be, without an end of line.
std::string summary_of(const CompactReport& report, const std::string& what, bool dry_run);

}  // namespace marigram::cli
