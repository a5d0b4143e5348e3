#include "model/aggregate.h"

#include <marigram/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace marigram::model {
namespace {

struct Spelling {
  std::string_view name;
  AggregateKind kind;
};

constexpr std::array kSpellings = {
    Spelling{"count", AggregateKind::kCount},       Spelling{"sum", AggregateKind::kSum},
    Spelling{"avg", AggregateKind::kAvg},           Spelling{"min", AggregateKind::kMin},
    Spelling{"max", AggregateKind::kMax},           Spelling{"first", AggregateKind::kFirst},
    Spelling{"last", AggregateKind::kLast},         Spelling{"stddev", AggregateKind::kStddev},
    Spelling{"rate", AggregateKind::kRate},         Spelling{"delta", AggregateKind::kDelta},
    Spelling{"median", AggregateKind::kPercentile},
};

/// The `99.5` of `p99.5` and of `percentile(99.5)`.
std::optional<std::string_view> percentile_digits(std::string_view text) {
  constexpr std::string_view kLong = "percentile(";
  if (text.starts_with(kLong) && text.ends_with(')')) return text.substr(kLong.size(), text.size() - kLong.size() - 1);
  if (text.starts_with('p') && !text.starts_with("percentile")) return text.substr(1);
  return std::nullopt;
}

/// Plain decimal digits from 0 to 100.
std::optional<double> parse_percentile(std::string_view digits) {
  double value = 0;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  if (code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (!(value >= 0 && value <= 100) || digits.front() == '-') return std::nullopt;
  return value;
}

}  // namespace

Result<Aggregate> parse_aggregate(std::string_view text) {
  const auto* spelling = std::ranges::find(kSpellings, text, &Spelling::name);
  if (spelling != kSpellings.end()) return Aggregate{.kind = spelling->kind};
  if (const auto digits = percentile_digits(text)) {
    if (const auto value = parse_percentile(*digits)) {
      return Aggregate{.kind = AggregateKind::kPercentile, .percentile = *value};
    }
  }
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot aggregate: there is no such aggregate; got `{}`, want count, sum, avg, min, max, "
                          "first, last, stddev, median, p0 to p100, percentile(0 to 100), rate or delta",
                          text));
}

std::string format_aggregate(const Aggregate& aggregate) {
  if (aggregate.kind == AggregateKind::kPercentile && aggregate.percentile != 50) {
    return fmt::format("p{}", aggregate.percentile);
  }
  return std::string(std::ranges::find(kSpellings, aggregate.kind, &Spelling::kind)->name);
}

}  // namespace marigram::model
