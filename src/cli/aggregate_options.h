// --agg of commands on tables, and how intervals without rows are filled.
#pragma once

#include <marigram/aggregate.h>
#include <marigram/error.h>

#include <cstdint>
#include <string>
#include <vector>

namespace marigram::cli {

class Command;
struct Context;

void add_aggregates(const Command& command, std::vector<std::string>& aggregates);

/// `avg(x)` or NAME=avg(x). What is no aggregate is a usage error.
Result<std::vector<FieldAggregate>> parse_aggregates(Context& context, const std::vector<std::string>& texts);

struct FillTexts {
  std::string fill;
  std::uint64_t limit = 0;
  std::string lookback;
};

/// --fill, --fill-limit and --fill-lookback.
void add_fill(const Command& command, FillTexts& texts);
/// A usage error: what is no fill; limits without one.
Result<FillOptions> parse_fill(Context& context, const FillTexts& texts);

}  // namespace marigram::cli
