#include "model/aggregate.h"

#include "base/try.h"

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
    Spelling{"median", AggregateKind::kPercentile}, Spelling{"vwap", AggregateKind::kVwap},
};

/// What begins the name of an estimate.
constexpr std::string_view kApprox = "approx_";

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

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

}  // namespace

Result<Aggregate> parse_aggregate(std::string_view text) {
  const auto* spelling = std::ranges::find(kSpellings, text, &Spelling::name);
  if (spelling != kSpellings.end() && spelling->kind != AggregateKind::kVwap) return Aggregate{.kind = spelling->kind};
  std::string_view exact = text;
  AggregateKind kind = AggregateKind::kPercentile;
  if (text.starts_with(kApprox)) {
    exact.remove_prefix(kApprox.size());
    kind = AggregateKind::kApproxPercentile;
    if (exact == "median") return Aggregate{.kind = kind};
  }
  if (const auto digits = percentile_digits(exact)) {
    if (const auto value = parse_percentile(*digits)) return Aggregate{.kind = kind, .percentile = *value};
  }
  return fail(
      ErrorCode::kInvalidInput,
      fmt::format(
          "cannot aggregate: there is no such aggregate; got `{}`, want count, sum, avg, min, max, "
          "first, last, stddev, median, p0 to p100, percentile(0 to 100), rate, delta, or approx_ before a percentile",
          text));
}

Result<AggregateOf> parse_aggregate_of(std::string_view text) {
  const auto refused = [&] {
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot aggregate: got `{}`, want an aggregate and its field as in avg(x), vwap(price,size) "
                    "for an average of one field weighted by another, or count",
                    text));
  };
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos) {
    if (trimmed(text) != "count") return refused();
    return AggregateOf{};
  }
  const std::size_t close = text.rfind(')');
  if (close == std::string_view::npos || close < open || !trimmed(text.substr(close + 1)).empty()) return refused();
  const std::string_view kind = trimmed(text.substr(0, open));
  const std::string_view inside = trimmed(text.substr(open + 1, close - open - 1));
  AggregateOf parsed;
  if (kind == "vwap") {
    const std::size_t comma = inside.find(',');
    if (comma == std::string_view::npos) return refused();
    parsed.aggregate.kind = AggregateKind::kVwap;
    parsed.field = trimmed(inside.substr(0, comma));
    parsed.weight = trimmed(inside.substr(comma + 1));
    if (parsed.weight.empty()) return refused();
  } else {
    MARIGRAM_ASSIGN(parsed.aggregate, parse_aggregate(kind));
    const bool is_rows = inside == "*" && parsed.aggregate.kind == AggregateKind::kCount;
    if (is_rows) return parsed;
    parsed.field = inside;
  }
  if (parsed.field.empty()) return refused();
  return parsed;
}

std::string name_of(const AggregateOf& aggregate) {
  if (!aggregate.name.empty()) return aggregate.name;
  const std::string kind = format_aggregate(aggregate.aggregate);
  if (!aggregate.weight.empty()) return fmt::format("{}({},{})", kind, aggregate.field, aggregate.weight);
  return fmt::format("{}({})", kind, aggregate.field.empty() ? "*" : aggregate.field);
}

std::string format_aggregate(const Aggregate& aggregate) {
  const bool is_approx = aggregate.kind == AggregateKind::kApproxPercentile;
  if (is_approx || aggregate.kind == AggregateKind::kPercentile) {
    const std::string exact = aggregate.percentile == 50 ? "median" : fmt::format("p{}", aggregate.percentile);
    return is_approx ? std::string(kApprox) + exact : exact;
  }
  return std::string(std::ranges::find(kSpellings, aggregate.kind, &Spelling::kind)->name);
}

}  // namespace marigram::model
