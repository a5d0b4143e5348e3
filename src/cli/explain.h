// --explain: what a command read, and what it need not have read.
#pragma once

#include <marigram/aggregate.h>
#include <marigram/asof.h>

#include <string>
#include <vector>

namespace marigram::cli {

class Command;

void add_explain(const Command& command, bool& explain);

/// What a query read, for people.
std::vector<std::string> describe(const QueryStatistics& statistics);
/// As remarks on standard error.
void explain(const QueryStatistics& statistics);
void explain(const AsofStatistics& statistics);

}  // namespace marigram::cli
