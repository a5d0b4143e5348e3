#include "cli/aggregate_options.h"

#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "model/aggregate.h"

#include <CLI/CLI.hpp>

namespace marigram::cli {

void add_aggregates(CLI::App& command, std::vector<std::string>& aggregates) {
  add_repeated(command, "--agg", aggregates, "[NAME=]AGGREGATE",
               "count, or count, sum, avg, min, max, first, last, stddev, median, p99 and the like, rate or delta of a "
               "column as in avg(x), or vwap(price,size)")
      ->required();
}

Result<std::vector<FieldAggregate>> parse_aggregates(Context& context, const std::vector<std::string>& texts) {
  std::vector<FieldAggregate> aggregates;
  for (const std::string& text : texts) {
    FieldAggregate aggregate{.aggregate = text};
    if (text.find('=') < text.find('(')) {
      MARIGRAM_ASSIGN(const auto named, parse_pair(context, "--agg", text, false));
      aggregate = {.aggregate = named.second, .name = named.first};
    }
    const auto parsed = model::parse_aggregate_of(aggregate.aggregate);
    if (!parsed) return context.usage(parsed.error().message);
    aggregates.push_back(std::move(aggregate));
  }
  return aggregates;
}

}  // namespace marigram::cli
