// Vacuum as commands take and show it.
#pragma once

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <string>

namespace marigram::cli {

class Command;
struct Context;

struct VacuumTexts {
  std::string older_than = "7d";
  std::string history;
  bool dry_run = false;
};
/// Declares --older-than, --history and --dry-run.
void add_vacuum_options(const Command& command, VacuumTexts& texts);

struct VacuumWanted {
  std::int64_t older_than_seconds = 0;
  History history = {};
};
/// A usage error: an age or a number that is none.
Result<VacuumWanted> parse_vacuum(Context& context, const VacuumTexts& texts);

/// The files; `tells_oldest`: they are those of one table, of which the report says the oldest version.
Status print_vacuum(Context& context, const VacuumReport& report, bool dry_run, bool tells_oldest);

}  // namespace marigram::cli
