// Aggregates by group and bucket against a naive model. Without this test rows could fall into the bucket or group
// beside theirs, before 1970 above all; a series could be torn where a batch ends; a null could count as a value; or
// what comes out could depend on how the rows were cut.
#include "query/aggregate_source.h"
#include "query/test_points.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::query {
namespace {

using model::AggregateKind;
using model::FieldValue;
using testing::Cells;
using testing::input_of;
using testing::of;
using testing::Point;
using testing::read_rows;
using testing::request_of;

Result<std::vector<Cells>> aggregate_points(std::span<const Point> points, const AggregationSpec& request,
                                            std::size_t batch_rows = 1'000) {
  auto stream = aggregate(input_of(points, batch_rows), *testing::point_schema(), request);
  if (!stream) return std::unexpected(stream.error());
  return read_rows(*stream, request.batch_rows);
}

// ---- The naive model: all rows of a group and bucket in a list ----

struct Sample {
  FieldValue value;
  std::int64_t time = 0;
  std::pair<std::optional<std::string>, std::int64_t> series;
};
using Samples = std::vector<Sample>;  // not null, in order of (series, time)

long double number(const FieldValue& value) {
  return std::visit(
      [](const auto& held) -> long double {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(held)>>) {
          return static_cast<long double>(held);
        } else {
          return 0;
        }
      },
      value);
}

FieldValue naive_sum(const Samples& samples) {
  long double sum = 0;
  for (const Sample& sample : samples) sum += number(sample.value);
  if (std::holds_alternative<double>(samples[0].value)) return static_cast<double>(sum);
  if (std::holds_alternative<std::uint64_t>(samples[0].value)) return static_cast<std::uint64_t>(sum);
  return static_cast<std::int64_t>(sum);
}

FieldValue naive_change(const Samples& samples, bool rate) {
  std::optional<long double> total;
  for (auto begin = samples.begin(); begin != samples.end();) {
    const auto end = std::find_if(begin, samples.end(), [&](const Sample& s) { return s.series != begin->series; });
    const auto last = std::prev(end);
    long double change = number(last->value) - number(begin->value);
    for (auto at = std::next(begin); rate && at != end; ++at) {
      if (number(at->value) < number(std::prev(at)->value)) change += number(std::prev(at)->value);
    }
    const long double seconds = static_cast<long double>(last->time - begin->time) / 1'000;
    if (rate ? seconds > 0 : last != begin) total = total.value_or(0) + (rate ? change / seconds : change);
    begin = end;
  }
  return total ? FieldValue(static_cast<double>(*total)) : FieldValue();
}

FieldValue naive_stddev(const Samples& samples) {
  if (samples.size() < 2) return {};
  long double mean = 0;
  for (const Sample& sample : samples) mean += number(sample.value) / static_cast<long double>(samples.size());
  long double squares = 0;
  for (const Sample& sample : samples) squares += std::pow(number(sample.value) - mean, 2.0L);
  return static_cast<double>(std::sqrt(squares / static_cast<long double>(samples.size() - 1)));
}

FieldValue naive_percentile(const Samples& samples, double percentile) {
  std::vector<long double> values;
  for (const Sample& sample : samples) values.push_back(number(sample.value));
  std::ranges::sort(values);
  const double position = percentile / 100 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const long double above = values[std::min(below + 1, values.size() - 1)];
  return static_cast<double>(values[below] + (above - values[below]) * (position - std::floor(position)));
}

FieldValue naive_aggregate(const Samples& samples, const model::Aggregate& aggregate) {
  if (aggregate.kind == AggregateKind::kCount) return static_cast<std::int64_t>(samples.size());
  if (samples.empty()) return {};
  const auto by_time = [](const Sample& a, const Sample& b) { return a.time < b.time; };
  const auto by_value = [](const Sample& a, const Sample& b) { return a.value < b.value; };
  switch (aggregate.kind) {
    case AggregateKind::kSum:
      return naive_sum(samples);
    case AggregateKind::kAvg: {
      long double sum = 0;
      for (const Sample& sample : samples) sum += number(sample.value);
      return static_cast<double>(sum / static_cast<long double>(samples.size()));
    }
    case AggregateKind::kMin:
      return std::ranges::min_element(samples, by_value)->value;
    case AggregateKind::kMax:
      return std::ranges::max_element(samples, by_value)->value;
    case AggregateKind::kFirst:
      return std::ranges::min_element(samples, by_time)->value;
    case AggregateKind::kLast: {  // the last of those at the latest time
      const auto latest = std::max_element(samples.rbegin(), samples.rend(), by_time);
      return latest->value;
    }
    case AggregateKind::kStddev:
      return naive_stddev(samples);
    case AggregateKind::kPercentile:
      return naive_percentile(samples, aggregate.percentile);
    default:
      return naive_change(samples, aggregate.kind == AggregateKind::kRate);
  }
}

template <typename T>
FieldValue value_of(const std::optional<T>& field) {
  return field ? FieldValue(*field) : FieldValue();
}

FieldValue field_of(const Point& point, const std::string& field) {
  if (field == "f") return value_of(point.f);
  if (field == "i") return value_of(point.i);
  if (field == "u") return value_of(point.u);
  if (field == "b") return value_of(point.b);
  if (field == "s") return value_of(point.s);
  return std::int64_t{0};  // every row has one
}

/// 0: there is one bucket.
std::int64_t width_of(TimeBuckets every) {
  return static_cast<std::int64_t>(every.of(0).width);
}

std::vector<Cells> naive_rows(std::span<const Point> points, const AggregationSpec& request) {
  const std::int64_t every = width_of(request.every);
  std::map<std::pair<Cells, std::int64_t>, std::vector<Point>> groups;
  for (const Point& point : points) {
    Cells key;
    for (const std::string& tag : request.by) key.push_back(tag == "host" ? value_of(point.host) : point.core);
    std::int64_t bucket = 0;
    if (every > 0) {
      bucket = point.time / every * every;
      if (bucket > point.time) bucket -= every;
    }
    groups[{key, bucket}].push_back(point);
  }
  std::vector<Cells> rows;
  for (const auto& [key, members] : groups) {
    Cells row = key.first;
    if (every > 0) row.emplace_back(key.second);
    for (const AggregateOf& column : request.columns) {
      Samples samples;
      for (const Point& point : members) {
        const FieldValue value = field_of(point, column.field);
        if (value.index() != 0) samples.push_back({.value = value, .time = point.time, .series = point.series()});
      }
      row.push_back(naive_aggregate(samples, column.aggregate));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// ---- Random tables ----

/// In order of (series, time); several rows of a series may have one time.
std::vector<Point> random_points(std::mt19937_64& random) {
  const auto one_of = [&](std::uint64_t count) { return static_cast<std::int64_t>(random() % count); };
  std::vector<Point> points;
  const std::int64_t span = 1 + one_of(20'000);
  for (std::size_t count = random() % 400; count > 0; --count) {
    Point point;
    if (one_of(4) != 0) point.host = "h" + std::to_string(one_of(3));
    point.core = one_of(3) - 1;
    point.time = one_of(static_cast<std::uint64_t>(span)) - span / 2;
    if (one_of(5) != 0) point.f = static_cast<double>(one_of(2'000)) / 8 - 100;
    if (one_of(5) != 0) point.i = one_of(1'000) - 500;
    if (one_of(5) != 0) point.u = random() % 1'000;
    if (one_of(5) != 0) point.b = one_of(2) == 0;
    if (one_of(5) != 0) point.s = std::string(random() % 3, static_cast<char>('a' + one_of(3)));
    points.push_back(point);
  }
  std::ranges::stable_sort(points, {},
                           [](const Point& point) { return std::tuple(point.host, point.core, point.time); });
  return points;
}

std::vector<AggregateOf> all_columns() {
  std::vector<AggregateOf> columns = {{.aggregate = {}, .field = "", .name = {}}};
  for (const std::string field : {"f", "i", "u", "b", "s"}) {
    for (const char* kind : {"count", "min", "max", "first", "last"}) columns.push_back(of(kind, field));
    if (field == "s") break;
    for (const char* kind : {"sum", "avg", "stddev", "median", "p0", "p90", "p100"}) columns.push_back(of(kind, field));
    if (field != "b") columns.insert(columns.end(), {of("rate", field), of("delta", field)});
  }
  return columns;
}

void expect_same(const std::vector<Cells>& rows, const std::vector<Cells>& expected, const AggregationSpec& request) {
  ASSERT_EQ(rows.size(), expected.size());
  const std::size_t keys = request.by.size() + (request.every.any() ? 1 : 0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ASSERT_EQ(rows[row].size(), expected[row].size());
    for (std::size_t i = 0; i < rows[row].size(); ++i) {
      SCOPED_TRACE(i < keys ? "key"
                            : request.columns[i - keys].field + " " +
                                  model::format_aggregate(request.columns[i - keys].aggregate));
      ASSERT_EQ(rows[row][i].index(), expected[row][i].index()) << "row " << row;
      if (const auto* value = std::get_if<double>(&expected[row][i])) {
        ASSERT_NEAR(std::get<double>(rows[row][i]), *value, 1e-9 * (1 + std::abs(*value)));
      } else {
        ASSERT_EQ(rows[row][i], expected[row][i]);
      }
    }
  }
}

TEST(Aggregation, AgreesWithANaiveOne) {
  std::mt19937_64 random(1);
  AggregationSpec request = request_of(all_columns());
  const std::vector<std::vector<std::string>> groupings = {{}, {"host"}, {"core"}, {"host", "core"}, {"core", "host"}};
  for (int round = 0; round < 15; ++round) {
    const std::vector<Point> points = random_points(random);
    for (const auto& by : groupings) {
      for (const std::int64_t every : {std::int64_t{0}, std::int64_t{1}, std::int64_t{777}, std::int64_t{60'000}}) {
        request.by = by;
        request.every = every;
        request.batch_rows = 1 + random() % 50;
        const auto rows = aggregate_points(points, request, 1 + random() % 100);
        ASSERT_TRUE(rows) << rows.error().message;
        SCOPED_TRACE(round);
        expect_same(*rows, naive_rows(points, request), request);
        if (HasFailure()) return;
      }
    }
  }
}

/// A stretch of rows a step apart, a gap, and so on.
std::vector<Point> regular_points(std::mt19937_64& random, std::int64_t step) {
  std::vector<Point> points;
  for (const char* host : {"a", "b"}) {
    std::int64_t time = static_cast<std::int64_t>(random() % 2'000) - 1'000;
    for (int stretch = 0; stretch < 3; ++stretch) {
      for (std::uint64_t rows = random() % 90; rows > 0; --rows) {
        points.push_back({.host = host, .time = time, .f = double(random() % 100), .i = std::int64_t(random() % 100)});
        time += step;
      }
      time += static_cast<std::int64_t>(random() % 200);
    }
  }
  return points;
}

TEST(Aggregation, AgreesWithANaiveOneOnRegularRows) {
  std::mt19937_64 random(2);
  AggregationSpec request =
      request_of({of("count", "f"), of("avg", "f"), of("max", "f"), of("min", "i"), of("first", "i"), of("rate", "f")});
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    const auto step = static_cast<std::int64_t>(1 + random() % 12);
    const std::vector<Point> points = regular_points(random, step);
    for (const std::int64_t every : {step, 6 * step, 5 * step + 1, step / 2 + 1, std::int64_t{1'000}}) {
      request.by = round % 2 == 0 ? std::vector<std::string>{} : std::vector<std::string>{"host", "core"};
      request.every = every;
      const auto rows = aggregate_points(points, request, 1 + random() % 200);
      ASSERT_TRUE(rows) << rows.error().message;
      expect_same(*rows, naive_rows(points, request), request);
      if (HasFailure()) return;
    }
  }
}

/// Some rows of series "a" and core 0, with `f` and, as an integer, `i`.
std::vector<Point> points_at(const std::vector<std::pair<std::int64_t, double>>& rows) {
  std::vector<Point> points;
  for (const auto& [time, value] : rows) {
    Point& point = points.emplace_back();
    point.host = "a";
    point.time = time;
    point.f = value;
    point.i = static_cast<std::int64_t>(value);
  }
  return points;
}

TEST(Aggregation, BucketsReachToTheEndsOfTime) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  AggregationSpec request = request_of({of("sum", "f")});
  request.every = 1'000;
  const auto rows = aggregate_points(points_at({{kMin, 1},
                                                {kMin + 1, 2},
                                                {-1'000, 4},
                                                {-1, 8},
                                                {0, 16},
                                                {999, 32},
                                                {1'000, 64},
                                                {kMax - 1, 128},
                                                {kMax, 256}}),
                                     request);
  ASSERT_TRUE(rows);
  EXPECT_EQ(*rows, (std::vector<Cells>{{kMin, 3.0},
                                       {std::int64_t{-1'000}, 12.0},
                                       {std::int64_t{0}, 48.0},
                                       {std::int64_t{1'000}, 64.0},
                                       {kMax - kMax % 1'000, 384.0}}));
  request.every = kMax;
  const auto halves =
      aggregate_points(points_at({{kMin, 1}, {kMin + 1, 2}, {-1, 4}, {0, 8}, {kMax - 1, 16}, {kMax, 32}}), request);
  ASSERT_TRUE(halves);
  EXPECT_EQ(*halves, (std::vector<Cells>{{kMin, 1.0}, {-kMax, 6.0}, {std::int64_t{0}, 24.0}, {kMax, 32.0}}));
}

TEST(Aggregation, NoRowsGiveNoRows) {
  EXPECT_EQ(aggregate_points({}, request_of({of("count", "f")})).value(), std::vector<Cells>());
}

TEST(Aggregation, NullsAreNoValues) {
  std::vector<Point> points = points_at({{0, 1}, {1, 2}});
  points[0].f = points[1].f = std::nullopt;
  const AggregateOf rows{.aggregate = {}, .field = "", .name = "n"};
  const auto result =
      aggregate_points(points, request_of({rows, of("count", "f"), of("sum", "f"), of("p9", "f"), of("last", "f")}));
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, (std::vector<Cells>{{std::int64_t{2}, std::int64_t{0}, {}, {}, {}}}));
}

TEST(Aggregation, ASumThatDoesNotFitIsAnError) {
  std::vector<Point> points = points_at({{0, 0}, {1, 0}, {2, 0}});
  points[0].i = points[1].i = std::numeric_limits<std::int64_t>::max();
  points[2].i = 1;
  const auto rows = aggregate_points(points, request_of({of("sum", "i")}));
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(rows.error().message,
            "cannot compute sum(i): the sum does not fit int64; got about 1.84467e+19, want narrower buckets or avg");
  points[1].i = -points[2].i.value();  // on the way it does not matter
  EXPECT_EQ(aggregate_points(points, request_of({of("sum", "i")})).value()[0][0],
            FieldValue(std::numeric_limits<std::int64_t>::max()));
  points[0].u = std::numeric_limits<std::uint64_t>::max();
  points[1].u = 1;
  EXPECT_FALSE(aggregate_points(points, request_of({of("sum", "u")})));
  EXPECT_EQ(aggregate_points(points, request_of({of("avg", "u")})).value()[0][0], FieldValue(0x1p63));
}

TEST(Aggregation, NamesItsColumns) {
  AggregationSpec request = request_of({of("avg", "f"), of("p99", "f"), of("count", "")});
  request.columns.push_back({.aggregate = {}, .field = "s", .name = "texts"});
  request.by = {"host"};
  request.every = 10;
  const auto stream = aggregate(input_of({}, 1), *testing::point_schema(), request);
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->schema->ToString(),
            "host: string\ntime: timestamp[ms] not null\navg(f): double\np99(f): double\ncount(*): int64 not null\n"
            "texts: int64 not null");
}

TEST(Aggregation, Float32AndInt32AreAsTheWideTypes) {
  arrow::FloatBuilder floats;
  arrow::Int32Builder integers;
  arrow::Int64Builder times;
  ASSERT_TRUE(floats.AppendValues({0.5F, 1.5F}).ok());
  ASSERT_TRUE(integers.AppendValues({2'000'000'000, 2'000'000'000}).ok());
  ASSERT_TRUE(times.AppendValues({1, 3}).ok());
  const auto schema = arrow::schema(
      {arrow::field("t", arrow::int64()), arrow::field("f", arrow::float32()), arrow::field("i", arrow::int32())});
  const auto batch = arrow::RecordBatch::Make(schema, 2, {*times.Finish(), *floats.Finish(), *integers.Finish()});
  auto stream = aggregate(input_of(std::make_unique<testing::ListSource>(std::vector{batch}), {}), *schema,
                          {.time = "t", .columns = {of("sum", "f"), of("sum", "i"), of("max", "i"), of("rate", "f")}});
  ASSERT_TRUE(stream);
  EXPECT_EQ(read_rows(*stream).value(),
            (std::vector<Cells>{{2.0, std::int64_t{4'000'000'000}, std::int64_t{2'000'000'000}, 0.5}}));
}

TEST(Aggregation, RefusesWhatMakesNoSense) {
  const auto error_of = [](const AggregationSpec& request) {
    const auto stream = aggregate(input_of({}, 1), *testing::point_schema(), request);
    return stream ? "no error" : stream.error().message;
  };
  EXPECT_EQ(error_of(request_of({of("avg", "s")})),
            "cannot compute avg(s): the field's type is string, of which there is no such aggregate; numbers have all, "
            "bools all but rate and delta, strings count, min, max, first and last, others count");
  EXPECT_NE(error_of(request_of({of("rate", "b")})), "no error");
  EXPECT_NE(error_of(request_of({of("sum", "")})), "no error");
  EXPECT_NE(error_of(request_of({})), "no error");
  EXPECT_EQ(error_of(request_of({of("avg", "g")})),
            "cannot aggregate: there is no column `g`; the rows have host, core, time, f, i, u, b, s");
  EXPECT_EQ(error_of(request_of({of("avg", "f"), of("avg", "f")})),
            "cannot aggregate: two columns of the result have the name `avg(f)`");
  const auto changed = [&](auto change) {
    AggregationSpec request = request_of({of("avg", "f")});
    change(request);
    return error_of(request);
  };
  EXPECT_EQ(changed([](AggregationSpec& r) { r.by = {"f"}; }),
            "cannot aggregate: groups are made by tags; got `f`, want some of: host, core");
  EXPECT_NE(changed([](AggregationSpec& r) { r.by = {"host", "host"}; }), "no error");
  EXPECT_NE(changed([](AggregationSpec& r) { r.series = {"f"}; }), "no error");
  EXPECT_NE(changed([](AggregationSpec& r) { r.time = "f"; }), "no error");
  EXPECT_NE(changed([](AggregationSpec& r) { r.batch_rows = 0; }), "no error");
}

TEST(Aggregation, AnErrorOfTheRowsEndsTheStream) {
  const auto points = points_at({{0, 1}, {1, 2}});
  auto stream =
      aggregate(input_of(std::make_unique<testing::ListSource>(std::vector{testing::to_batch(points)},
                                                               Error{.code = ErrorCode::kIo, .message = "gone"})),
                *testing::point_schema(), request_of({of("sum", "f")}));
  ASSERT_TRUE(stream);
  const auto batch = stream->rows->next();
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().message, "gone");
  EXPECT_EQ(stream->rows->next().value(), nullptr);
}

}  // namespace
}  // namespace marigram::query
