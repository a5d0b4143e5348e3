// Intervals without rows, filled, against a model that looks for each interval's neighbours by walking. Without this a
// value could be carried from one group to the next, further than is asked, or from behind the range.
#include "query/fill.h"

#include "base/try.h"

#include <arrow/api.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

constexpr std::int64_t kWidth = 10;

using Value = std::optional<double>;

struct Cells {
  std::string group;
  std::int64_t start = 0;
  std::int64_t count = 0;
  Value value = {};
  std::optional<std::string> text = {};

  friend bool operator==(const Cells&, const Cells&) = default;
};
void PrintTo(const Cells& cells, std::ostream* out) {
  *out << fmt::format("{} {} {} {} {}", cells.group, cells.start, cells.count,
                      cells.value ? fmt::format("{}", *cells.value) : "null", cells.text.value_or("null"));
}
using Table = std::vector<Cells>;

std::shared_ptr<arrow::Schema> schema() {
  return arrow::schema({arrow::field("group", arrow::utf8()),
                        arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO), false),
                        arrow::field("count", arrow::int64(), false), arrow::field("value", arrow::float64()),
                        arrow::field("text", arrow::utf8())});
}

std::shared_ptr<arrow::RecordBatch> batch_of(const Table& rows) {
  arrow::StringBuilder group;
  arrow::Int64Builder start;
  arrow::Int64Builder count;
  arrow::DoubleBuilder value;
  arrow::StringBuilder text;
  for (const Cells& row : rows) {
    EXPECT_TRUE(group.Append(row.group).ok() && start.Append(row.start).ok() && count.Append(row.count).ok());
    EXPECT_TRUE((row.value ? value.Append(*row.value) : value.AppendNull()).ok());
    EXPECT_TRUE((row.text ? text.Append(*row.text) : text.AppendNull()).ok());
  }
  const auto times = *(*start.Finish())->View(arrow::timestamp(arrow::TimeUnit::MICRO));
  return arrow::RecordBatch::Make(schema(), static_cast<std::int64_t>(rows.size()),
                                  {*group.Finish(), times, *count.Finish(), *value.Finish(), *text.Finish()});
}

Result<Table> read(const table::ScanStream& stream) {
  Table rows;
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
    if (!batch) return rows;
    EXPECT_TRUE(batch->ValidateFull().ok());
    const auto& group = static_cast<const arrow::StringArray&>(*batch->column(0));
    const auto& start = static_cast<const arrow::TimestampArray&>(*batch->column(1));
    const auto& count = static_cast<const arrow::Int64Array&>(*batch->column(2));
    const auto& value = static_cast<const arrow::DoubleArray&>(*batch->column(3));
    const auto& text = static_cast<const arrow::StringArray&>(*batch->column(4));
    for (std::int64_t i = 0; i < batch->num_rows(); ++i) {
      Cells cells{.group = group.GetString(i), .start = start.Value(i), .count = count.Value(i)};
      if (value.IsValid(i)) cells.value = value.Value(i);
      if (text.IsValid(i)) cells.text = text.GetString(i);
      rows.push_back(std::move(cells));
    }
  }
}

/// In batches of at most so many rows.
Result<Table> filled(const Table& rows, const FillSpec& spec, std::size_t batch_rows = 3) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (std::size_t i = 0; i < rows.size(); i += batch_rows) {
    const auto end = std::min(rows.size(), i + batch_rows);
    batches.push_back(
        batch_of({rows.begin() + static_cast<std::ptrdiff_t>(i), rows.begin() + static_cast<std::ptrdiff_t>(end)}));
  }
  return read(fill({.schema = schema(), .rows = table::list_source(std::move(batches))}, spec));
}

FillSpec spec_of(const FillOptions& options) {
  return {.options = options, .by = 1, .every = TimeBuckets(kWidth)};
}

/// Of one group.
Table naive(const std::map<std::int64_t, Cells>& rows, const FillSpec& spec) {
  const auto edge = [](std::int64_t time) { return (time >= 0 ? time : time - kWidth + 1) / kWidth * kWidth; };
  const std::int64_t first = spec.from ? edge(*spec.from) : rows.begin()->first;
  const std::int64_t last = spec.to ? edge(*spec.to - 1) : rows.rbegin()->first;
  const auto near = [&](std::int64_t at, std::int64_t step, auto has) -> std::optional<std::int64_t> {
    for (; at >= std::min(first, rows.begin()->first) && at <= last; at += step) {
      if (rows.contains(at) && has(rows.at(at))) return at;
    }
    return std::nullopt;
  };
  const auto has_value = [](const Cells& cells) { return cells.value.has_value(); };
  const auto has_text = [](const Cells& cells) { return cells.text.has_value(); };
  const FillOptions& options = spec.options;
  const auto within = [&](std::int64_t intervals) {
    return options.limit == 0 || intervals <= static_cast<std::int64_t>(options.limit);
  };
  Table result;
  for (std::int64_t at = first; at <= last; at += kWidth) {
    Cells cells{.group = rows.begin()->second.group, .start = at};
    if (rows.contains(at)) cells = rows.at(at);
    if (options.kind == Fill::kPrevious) {
      if (const auto before = near(at, -kWidth, has_value); before && within((at - *before) / kWidth)) {
        cells.value = rows.at(*before).value;
      }
      if (const auto before = near(at, -kWidth, has_text); before && within((at - *before) / kWidth)) {
        cells.text = rows.at(*before).text;
      }
    } else if (options.kind == Fill::kLinear && !cells.value) {
      const auto before = near(at, -kWidth, has_value);
      const auto after = near(at, kWidth, has_value);
      if (before && after && within((*after - *before) / kWidth - 1)) {
        const double share = static_cast<double>(at - *before) / static_cast<double>(*after - *before);
        cells.value = *rows.at(*before).value * (1 - share) + *rows.at(*after).value * share;
      }
    } else if (options.kind == Fill::kConstant && !cells.value) {
      cells.value = options.value;
    }
    result.push_back(std::move(cells));
  }
  return result;
}

TEST(Fill, EqualsTheNaiveModel) {
  std::mt19937_64 random(5);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  for (int round = 0; round < 2'000; ++round) {
    SCOPED_TRACE(round);
    FillSpec spec = spec_of({.kind = static_cast<Fill>(1 + below(4)), .value = -7});
    if (below(2) == 0) spec.options.limit = static_cast<std::uint64_t>(1 + below(3));
    if (below(2) == 0) spec.from = below(300) - 150;
    if (below(2) == 0) spec.to = spec.from.value_or(-100) + 1 + below(200);
    Table rows;
    Table want;
    for (const char* group : {"a", "b", "c"}) {
      std::map<std::int64_t, Cells> own;
      for (std::int64_t i = below(12); i > 0; --i) {
        const std::int64_t start = (below(30) - 15) * kWidth;
        if (spec.to && start >= *spec.to) continue;
        Cells cells{.group = group, .start = start, .count = 1 + below(9)};
        if (below(3) > 0) cells.value = static_cast<double>(below(1'000));
        if (below(3) > 0) cells.text = std::string(static_cast<std::size_t>(below(4)), 'x');
        own[start] = cells;
      }
      if (own.empty()) continue;
      for (const auto& [start, cells] : own) rows.push_back(cells);
      std::ranges::move(naive(own, spec), std::back_inserter(want));
    }
    const auto got = filled(rows, spec, static_cast<std::size_t>(1 + below(8)));
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(*got, want);
  }
}

TEST(Fill, NoneLeavesTheResult) {
  const Table rows = {{.group = "a", .start = 0, .count = 1}, {.group = "a", .start = 500, .count = 2}};
  EXPECT_EQ(filled(rows, spec_of({.kind = Fill::kNone})).value(), rows);
  EXPECT_EQ(filled({}, spec_of({.kind = Fill::kNull})).value(), Table());
}

TEST(Fill, DaysAreAsLongAsClocksShow) {
  FillSpec spec{.options = {.kind = Fill::kNull}, .by = 1};
  spec.every = TimeBuckets::make(Interval::of_days(1), "Europe/Berlin", {}, 1'000'000).value();
  constexpr std::int64_t kHour = 3'600'000'000;
  const std::int64_t march_30 = 1'711'753'200'000'000;  // 2024, local midnight; the day after has 23 hours
  const auto got = filled({{.group = "a", .start = march_30, .count = 1},
                           {.group = "a", .start = march_30 + (24 + 23) * kHour, .count = 1}},
                          spec);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->size(), 3U);
  EXPECT_EQ(got->at(1).start, march_30 + 24 * kHour);
}

TEST(Fill, TooManyIntervalsAreAnError) {
  const auto got = filled({{.group = "a", .start = 0, .count = 1}, {.group = "a", .start = 1'000'000'000, .count = 1}},
                          spec_of({.kind = Fill::kNull}));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(got.error().message.find("10000000"), std::string::npos) << got.error().message;
}

}  // namespace
}  // namespace marigram::query
