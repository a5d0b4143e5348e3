// See test_random_rows.h.
#include "db/test_random_rows.h"

#include <algorithm>
#include <utility>

namespace marigram::db::testing {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kDayNs = 86'400 * kSecondNs;
constexpr std::int64_t kNowNs = 20'406 * kDayNs - kSecondNs;  // the end of a day
constexpr std::int64_t kMinutes = 10;                         // that most rows are of

}  // namespace

std::int64_t RandomRows::time() {
  const auto draw = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(below(static_cast<std::uint64_t>(bound)));
  };
  if (one_in(3'000)) return -draw(kDayNs);
  const std::int64_t age = sparse_ ? draw(kDayNs) : draw(kMinutes * 60) * kSecondNs;
  return kNowNs - age - (one_in(400) ? draw(4) * kDayNs : 0);
}

/// One of two dozen series.
Tags RandomRows::tags() {
  Tags tags;
  for (const auto& [name, values] : {std::pair("b", 3), std::pair("a", 2), std::pair("c", 1)}) {
    if (!one_in(2)) continue;
    tags.push_back({.name = name, .value = "v" + std::to_string(below(static_cast<std::uint64_t>(values)))});
  }
  if (one_in(20)) tags.push_back({.name = "d", .value = ""});
  return tags;
}

Value value_of(const std::string& field, std::uint64_t number) {
  switch (field.front()) {
    case 'f':
      return 0.25 * (static_cast<double>(number % 2'000) - 1'000);
    case 'i':
      return static_cast<std::int64_t>(number % 2'000) - 1'000;
    case 'u':
      return number % 1'000;
    case 'b':
      return number % 2 == 0;
    default:
      return "text " + std::to_string(number % 100);
  }
}

/// The fields that come rarely are added to tables late.
Row RandomRows::row() {
  static const std::vector<std::string> kFields = {"f0", "i0", "s0", "u0", "b0", "f1", "i1"};
  Row row{.time_ns = time(), .tags = tags()};
  const std::uint64_t known = one_in(100) ? kFields.size() : 4;
  std::set<std::string> names;
  for (std::uint64_t left = 1 + below(3); left > 0; --left) names.insert(kFields[below(known)]);
  for (const std::string& name : names) {
    row.fields.emplace_back(name, one_in(10) ? Value() : value_of(name, random_()));
  }
  return row;
}

std::vector<Row> RandomRows::rows() {
  std::vector<Row> rows;
  const std::uint64_t count = one_in(3) ? 1 : 1 + below(sparse_ ? 4 : 10);
  rows.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) rows.push_back(row());
  // A field of nulls only is no field.
  rows.front().fields.emplace_back("f9", value_of("f9", random_()));
  return rows;
}

std::vector<TagMatcher> RandomRows::where() {
  static const std::vector<std::string> kNames = {"a", "b", "c", "d", "none"};
  static const std::vector<std::string> kValues = {"v0", "v1", "v2", "v7", ""};
  static const std::vector<std::string> kPatterns = {"v[01]", "v0|v2", "v.*", ".*", "v1|", "", ".+", "x"};
  std::vector<TagMatcher> where;
  for (std::uint64_t left = below(3); left > 0; --left) {
    const auto op = static_cast<MatchOp>(below(4));
    const bool exact = op == MatchOp::kEqual || op == MatchOp::kNotEqual;
    where.push_back({.name = one_of(kNames), .op = op, .value = one_of(exact ? kValues : kPatterns)});
  }
  return where;
}

void RandomRows::set_range(std::int64_t& from, std::int64_t& to) {
  if (!one_in(3)) from = time();
  if (!one_in(3)) to = time();
  if (from > to) std::swap(from, to);
}

Selection RandomRows::selection() {
  if (one_in(2)) return {};  // so that tables stay small
  Selection selection{.where = where()};
  set_range(selection.from_ns, selection.to_ns);
  return selection;
}

std::vector<std::string> RandomRows::some_of(const std::set<std::string>& names, std::uint64_t most) {
  std::vector<std::string> some(names.begin(), names.end());
  std::ranges::shuffle(some, random_);
  some.resize(std::min<std::size_t>(some.size(), most));
  return some;
}

QueryRequest RandomRows::rows_request(const std::set<std::string>& fields) {
  QueryRequest request{.where = where()};
  set_range(request.from_ns, request.to_ns);
  if (one_in(2)) request.fields = some_of(fields, 1 + below(3));
  request.order = static_cast<ScanOrder>(below(3));
  if (one_in(4)) request.limit = below(100);
  return request;
}

QueryRequest RandomRows::aggregates_request(const std::set<std::string>& fields) {
  static const std::vector<std::string> kKinds = {"count", "min", "max", "sum", "first", "last"};
  static const std::vector<std::int64_t> kWidthsNs = {0, 7 * kSecondNs, 60 * kSecondNs, kDayNs};
  static const std::vector<std::vector<std::string>> kGroups = {{}, {"a"}, {"b", "a"}, {"c"}};
  QueryRequest request{.where = where()};
  set_range(request.from_ns, request.to_ns);
  const std::uint64_t kind = below(kKinds.size());
  request.aggregate = kKinds[kind];
  std::set<std::string> numbers = fields;
  if (request.aggregate == "sum") {
    std::erase_if(numbers, [](const std::string& name) { return name.front() == 's' || name.front() == 'b'; });
  }
  request.fields = some_of(numbers, 1 + below(2));
  request.every = one_of(kWidthsNs);
  request.by_series = kind >= 4 || one_in(3);
  if (!request.by_series) request.by = one_of(kGroups);
  return request;
}

Durability RandomRows::durability() {
  return one_in(2) ? Durability::kSync : one_in(4) ? Durability::kNone : Durability::kInterval;
}

}  // namespace marigram::db::testing
