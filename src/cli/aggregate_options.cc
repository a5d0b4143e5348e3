#include "cli/aggregate_options.h"

#include "base/bucket_width.h"
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "model/aggregate.h"

#include <fmt/format.h>
#include <charconv>
#include <system_error>

namespace marigram::cli {

void add_aggregates(const Command& command, std::vector<std::string>& aggregates) {
  command
      .repeated(
          "--agg", aggregates, "[NAME=]AGGREGATE",
          "count, or count, sum, avg, min, max, first, last, stddev, median, p99 and the like, rate or delta of a "
          "column as in avg(x), or vwap(price,size)")
      .required();
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

void add_fill(const Command& command, FillTexts& texts) {
  command.option("--fill", texts.fill, "HOW",
                 "Intervals without rows: none (default), null, previous, linear, or a number that they have");
  command.option("--fill-limit", texts.limit, "N", "Fill at most so many in a row (previous, linear)").positive();
  command.option("--fill-lookback", texts.lookback, "WIDTH",
                 "Fill the beginning by values so far before --from too: a number of s, m, h or d");
}

Result<FillOptions> parse_fill(Context& context, const FillTexts& texts) {
  constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
  FillOptions options{.limit = texts.limit};
  if (texts.fill == "null") {
    options.kind = Fill::kNull;
  } else if (texts.fill == "previous") {
    options.kind = Fill::kPrevious;
  } else if (texts.fill == "linear") {
    options.kind = Fill::kLinear;
  } else if (!texts.fill.empty() && texts.fill != "none") {
    const char* const end = texts.fill.data() + texts.fill.size();
    const auto [rest, error] = std::from_chars(texts.fill.data(), end, options.value);
    if (error != std::errc() || rest != end) {
      return context.usage(
          fmt::format("cannot read --fill \"{}\"; want none, null, previous, linear or a number", texts.fill));
    }
    options.kind = Fill::kConstant;
  }
  if (!texts.lookback.empty()) {
    const auto width = parse_bucket_width(texts.lookback);
    if (!width) return context.usage(fmt::format("cannot read --fill-lookback: {}", width.error().message));
    options.lookback = width->seconds() * kNanosPerSecond;
  }
  const bool has_neighbours = options.kind == Fill::kPrevious || options.kind == Fill::kLinear;
  if (has_neighbours || (options.limit == 0 && options.lookback == 0)) return options;
  return context.usage("cannot use --fill-limit or --fill-lookback: they are for --fill previous or linear");
}

}  // namespace marigram::cli
