// Questions for aggregates of a random table, and what a naive model that looks at every row answers.
#pragma once

#include "query/aggregate_snapshot.h"
#include "query/test_points.h"
#include "query/test_random_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query::testing {

using table::testing::kMinuteUs;
using table::testing::Row;

inline Instant at(std::int64_t time_us) {
  return Instant::from_units(time_us, TimeUnit::kMicro);
}

inline AggregationSpec spec_of(const std::vector<std::string>& aggregates) {
  AggregationSpec spec;
  for (const std::string& aggregate : aggregates) spec.columns.push_back(model::parse_aggregate_of(aggregate).value());
  return spec;
}

inline const std::vector<std::string> kAggregates = {"count",      "count(value)", "sum(value)",   "avg(value)",
                                                     "min(value)", "max(value)",   "first(value)", "last(value)"};
inline const std::vector<std::string> kDecoded = {"delta(value)", "median(value)", "vwap(value,value)"};

inline model::FieldValue of(std::optional<double> value) {
  return value ? model::FieldValue(*value) : model::FieldValue();
}

/// Of rows of some series, by (series, time).
inline Cells naive(const std::vector<Row>& rows, bool decoded) {
  std::vector<double> values;
  std::optional<Row> first;
  std::optional<Row> last;
  double sum = 0;
  double squares = 0;
  std::optional<double> delta;
  std::map<std::string, std::pair<double, double>> ends;
  std::map<std::string, int> counts;
  for (const Row& row : rows) {
    if (!row.value) continue;
    values.push_back(*row.value);
    sum += *row.value;
    squares += *row.value * *row.value;
    if (!first || row.time_us < first->time_us) first = row;
    if (!last || row.time_us >= last->time_us) last = row;
    ends.try_emplace(row.series, *row.value, 0).first->second.second = *row.value;
    ++counts[row.series];
  }
  for (const auto& [series, own] : ends) {
    if (counts[series] > 1) delta = delta.value_or(0) + own.second - own.first;
  }
  const auto valued = [&](double value) { return values.empty() ? of({}) : of(value); };
  Cells cells = {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(values.size())};
  std::ranges::sort(values);
  cells.push_back(valued(sum));
  cells.push_back(valued(sum / static_cast<double>(values.size())));
  cells.push_back(values.empty() ? of({}) : of(values.front()));
  cells.push_back(values.empty() ? of({}) : of(values.back()));
  cells.push_back(first ? of(first->value) : of({}));
  cells.push_back(last ? of(last->value) : of({}));
  if (decoded) {
    cells.push_back(of(delta));
    const std::size_t half = values.size() / 2;
    cells.push_back(values.empty()           ? of({})
                    : values.size() % 2 == 1 ? of(values[half])
                                             : of(values[half - 1] + (values[half] - values[half - 1]) * 0.5));
    cells.push_back(valued(squares / sum));
  }
  return cells;
}

struct Question {
  bool by_series = false;
  bool decoded = false;  // some aggregates that no statistics or rollups answer are among them
  std::int64_t every = 0;
  std::optional<std::int64_t> from_us = {};
  std::optional<std::int64_t> to_us = {};
  bool some_series = false;
};

inline std::vector<Cells> expected(std::vector<Row> rows, const Question& question) {
  std::erase_if(rows, [&](const Row& row) {
    return (question.from_us && row.time_us < *question.from_us) ||
           (question.to_us && row.time_us >= *question.to_us) ||
           (question.some_series && row.series != "a" && row.series != "c");
  });
  std::ranges::stable_sort(rows, {}, [](const Row& row) { return std::pair(row.series, row.time_us); });
  std::map<std::pair<std::string, std::int64_t>, std::vector<Row>> groups;
  for (const Row& row : rows) {
    std::int64_t bucket = 0;
    if (question.every > 0) {
      bucket = row.time_us / question.every;
      if (row.time_us % question.every < 0) --bucket;
    }
    groups[{question.by_series ? row.series : "", bucket * question.every}].push_back(row);
  }
  std::vector<Cells> results;
  for (const auto& [group, own] : groups) {
    Cells& cells = results.emplace_back();
    if (question.by_series) cells.emplace_back(group.first);
    if (question.every > 0) cells.emplace_back(group.second);
    for (auto& cell : naive(own, question.decoded)) cells.push_back(std::move(cell));
  }
  return results;
}

inline Question random_question(RandomTable& table, const std::vector<Row>& rows) {
  constexpr std::int64_t kEvery[] = {0, kMinuteUs, 30 * kMinuteUs, 1440 * kMinuteUs, 3 * 1440 * kMinuteUs + 7};
  Question question{.by_series = table.below(2) == 0, .decoded = table.below(4) == 0};
  question.every = kEvery[table.below(5)];
  question.some_series = table.below(3) == 0;
  if (table.below(3) == 0) question.from_us = table.random_time(rows);
  if (table.below(3) == 0) question.to_us = table.random_time(rows);
  if (question.from_us && question.to_us && *question.from_us >= *question.to_us) question.to_us.reset();
  return question;
}

/// The answer of a table.
inline std::vector<Cells> answer(const Snapshot& snapshot, const Question& question, QueryStatistics& statistics,
                                 std::size_t levels = SIZE_MAX) {
  ScanRequest rows;
  if (question.from_us) rows.from = at(*question.from_us);
  if (question.to_us) rows.to = at(*question.to_us);
  if (question.some_series) rows.where = {{.column = "series", .values = {"a", "c"}}};
  AggregationSpec spec = spec_of(kAggregates);
  if (question.decoded) std::ranges::copy(spec_of(kDecoded).columns, std::back_inserter(spec.columns));
  if (question.by_series) spec.by = {"series"};
  spec.every = question.every;
  auto stream = aggregate_snapshot(snapshot, rows, spec, &statistics, {.levels = levels});
  EXPECT_TRUE(stream) << stream.error().message;
  if (!stream) return {};
  const auto got = read_rows(*stream);
  EXPECT_TRUE(got) << got.error().message;
  return got.value_or(std::vector<Cells>());
}

}  // namespace marigram::query::testing
