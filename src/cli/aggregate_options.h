// --agg of commands on tables.
#pragma once

#include <marigram/aggregate.h>
#include <marigram/error.h>

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace marigram::cli {

struct Context;

void add_aggregates(CLI::App& command, std::vector<std::string>& aggregates);

/// `avg(x)` or NAME=avg(x). What is no aggregate is a usage error.
Result<std::vector<FieldAggregate>> parse_aggregates(Context& context, const std::vector<std::string>& texts);

}  // namespace marigram::cli
