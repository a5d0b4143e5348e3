// See test_naive_table.h.
#include "db/test_naive_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <type_traits>
#include <variant>

namespace marigram::db::testing {
namespace {

constexpr std::int64_t kRejectedBucketNs = 60'000'000'000;  // of tables that are made by their first insert

std::int64_t floor_to(std::int64_t time, std::int64_t width) {
  const std::int64_t rest = time % width;
  return time - rest - (rest < 0 ? width : 0);
}

std::string value_of(const Tags& tags, const std::string& name) {
  const auto tag = std::ranges::find(tags, name, &Tag::name);
  return tag == tags.end() ? std::string() : tag->value;
}

bool matches(const TagMatcher& matcher, const std::string& value) {
  const bool negated = matcher.op == MatchOp::kNotEqual || matcher.op == MatchOp::kNotRegex;
  const bool exact = matcher.op == MatchOp::kEqual || matcher.op == MatchOp::kNotEqual;
  const bool equal = exact ? value == matcher.value : std::regex_match(value, std::regex(matcher.value));
  return equal != negated;
}

std::vector<std::string> values_of(const Tags& tags, const std::vector<std::string>& names) {
  std::vector<std::string> values;
  values.reserve(names.size());
  for (const std::string& name : names) values.push_back(value_of(tags, name));
  return values;
}

/// Those that are named; all if none is.
Fields some_of(const Fields& fields, const std::vector<std::string>& names) {
  if (names.empty()) return fields;
  Fields some;
  std::ranges::copy_if(fields, std::back_inserter(some),
                       [&](const auto& field) { return std::ranges::find(names, field.first) != names.end(); });
  return some;
}

template <typename T>
std::string sum_of(const std::vector<Value>& values) {
  T sum = 0;
  for (const Value& value : values) sum += std::get<T>(value);
  return text_of(sum);
}

std::string sum_of(const std::vector<Value>& values) {
  if (std::holds_alternative<double>(values.front())) return sum_of<double>(values);
  if (std::holds_alternative<std::int64_t>(values.front())) return sum_of<std::int64_t>(values);
  return sum_of<std::uint64_t>(values);
}

/// `values` in order of time.
std::string aggregate_of(const std::string& kind, const std::vector<Value>& values) {
  if (kind == "count") return std::to_string(values.size());
  if (values.empty()) return "";
  if (kind == "sum") return sum_of(values);
  if (kind == "min") return text_of(std::ranges::min(values));
  if (kind == "max") return text_of(std::ranges::max(values));
  return text_of(kind == "first" ? values.front() : values.back());
}

}  // namespace

std::string text_of(const Value& value) {
  return std::visit(
      []<typename T>(const T& held) -> std::string {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return "";
        } else if constexpr (std::is_same_v<T, Instant>) {
          return std::to_string(held.seconds * 1'000'000'000 + held.nanos);
        } else {
          return fmt::format("{}", held);
        }
      },
      value);
}

void PrintTo(const NaiveRow& row, std::ostream* out) {
  *out << "{" << row.time_ns;
  for (const Tag& tag : row.tags) *out << " " << tag.name << "=" << tag.value;
  *out << " |";
  for (const auto& [name, value] : row.fields) *out << " " << name << "=" << text_of(value);
  *out << "}";
}

NaiveRows naive_rows(std::span<const Row> rows) {
  NaiveRows naive;
  naive.reserve(rows.size());
  for (const Row& row : rows) {
    NaiveRow& added = naive.emplace_back(NaiveRow{.time_ns = row.time_ns, .tags = row.tags});
    std::erase_if(added.tags, [](const Tag& tag) { return tag.value.empty(); });
    std::ranges::sort(added.tags);
    for (const auto& [name, value] : row.fields) {
      if (!std::holds_alternative<std::monostate>(value)) added.fields.emplace_back(name, value);
    }
    std::ranges::sort(added.fields);
  }
  return naive;
}

bool is_tag(const std::string& column) {
  return column.size() == 1;
}

bool matches(const std::vector<TagMatcher>& where, const Tags& tags) {
  return std::ranges::all_of(where,
                             [&](const TagMatcher& matcher) { return matches(matcher, value_of(tags, matcher.name)); });
}

bool NaiveTable::takes(std::span<const NaiveRow> rows) const {
  if (policy_ != Duplicates::kReject) return true;
  std::set<std::pair<Tags, std::int64_t>> buckets;
  for (const NaiveRow& row : rows) {
    const std::int64_t begin = floor_to(row.time_ns, kRejectedBucketNs);
    if (!buckets.emplace(row.tags, begin).second) return false;
    const auto series = series_.find(row.tags);
    if (series == series_.end()) continue;
    const auto found = series->second.lower_bound(begin);
    if (found != series->second.end() && found->first < begin + kRejectedBucketNs) return false;
  }
  return true;
}

void NaiveTable::insert(std::span<const NaiveRow> rows) {
  for (const NaiveRow& row : rows) {
    std::vector<Fields>& there = series_[row.tags][row.time_ns];
    if (policy_ == Duplicates::kLast) there.clear();
    there.push_back(row.fields);
  }
}

std::uint64_t NaiveTable::remove(const Selection& selection) {
  const std::size_t before = size();
  for (auto& [tags, times] : series_) {
    if (!testing::matches(selection.where, tags)) continue;
    times.erase(times.lower_bound(selection.from_ns), times.upper_bound(selection.to_ns));
  }
  std::erase_if(series_, [](const auto& series) { return series.second.empty(); });
  return before - size();
}

std::size_t NaiveTable::size() const {
  std::size_t size = 0;
  for (const auto& [tags, times] : series_) {
    for (const auto& [time, rows] : times) size += rows.size();
  }
  return size;
}

NaiveRows NaiveTable::rows(const QueryRequest& request, const std::vector<std::string>& tags) const {
  std::multimap<Cells, const std::pair<const Tags, Times>*> chosen;  // in the order of their tags' values
  for (const auto& series : series_) {
    if (testing::matches(request.where, series.first)) chosen.emplace(values_of(series.first, tags), &series);
  }
  NaiveRows rows;
  for (const auto& [values, series] : chosen) {
    const auto& [name, times] = *series;
    for (auto at = times.lower_bound(request.from_ns); at != times.end() && at->first <= request.to_ns; ++at) {
      for (const Fields& fields : at->second) {
        rows.push_back({.time_ns = at->first, .tags = name, .fields = some_of(fields, request.fields)});
      }
    }
  }
  if (request.order == ScanOrder::kTime) std::ranges::stable_sort(rows, {}, &NaiveRow::time_ns);
  if (rows.size() > request.limit) rows.resize(request.limit);
  return rows;
}

std::vector<Cells> NaiveTable::aggregates(const QueryRequest& request, const std::vector<std::string>& tags) const {
  std::map<std::pair<Cells, std::int64_t>, std::map<std::string, std::vector<Value>>> groups;
  const std::vector<std::string>& by = request.by_series ? tags : request.by;
  QueryRequest all = request;
  all.order = ScanOrder::kSeries;
  for (const NaiveRow& row : rows(all, tags)) {
    const std::int64_t bucket = request.every.fixed > 0 ? floor_to(row.time_ns, request.every.fixed) : 0;
    auto& group = groups[{values_of(row.tags, by), bucket}];
    for (const auto& [name, value] : row.fields) group[name].push_back(value);
  }
  std::vector<Cells> answer;
  answer.reserve(groups.size());
  for (auto& [key, values] : groups) {
    Cells& cells = answer.emplace_back(key.first);
    if (request.every.fixed > 0) cells.push_back(std::to_string(key.second));
    for (const std::string& field : request.fields) cells.push_back(aggregate_of(request.aggregate, values[field]));
  }
  return answer;
}

std::string difference(const NaiveTable& want, const NaiveTable& got) {
  if (want == got) return "";
  const NaiveRows wanted = want.rows({.order = ScanOrder::kSeries}, {"a", "b", "c"});
  const NaiveRows there = got.rows({.order = ScanOrder::kSeries}, {"a", "b", "c"});
  const auto [first_wanted, first_there] = std::ranges::mismatch(wanted, there);
  std::ostringstream text;
  text << wanted.size() << " rows wanted, " << there.size() << " there; the first that differs: want ";
  if (first_wanted == wanted.end()) text << "none";
  if (first_wanted != wanted.end()) PrintTo(*first_wanted, &text);
  text << ", got ";
  if (first_there == there.end()) text << "none";
  if (first_there != there.end()) PrintTo(*first_there, &text);
  return text.str();
}

}  // namespace marigram::db::testing
