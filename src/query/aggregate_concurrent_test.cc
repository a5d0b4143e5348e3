// Aggregates of rows in several parts, side by side. Without this test a group whose series lie in several parts could
// come out twice or torn, results could depend on which part was quicker, or a part could be read after its stream is
// gone.
#include "base/thread_pool.h"
#include "query/aggregate_source.h"
#include "query/test_points.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using testing::Cells;
using testing::of;
using testing::Point;

constexpr std::int64_t kHosts = 40;
constexpr std::size_t kRowsOfSeries = 100;

std::vector<Point> points() {
  std::mt19937_64 random(5);
  std::vector<Point> points;
  for (std::int64_t host = 0; host < kHosts; ++host) {
    for (std::int64_t core = 0; core < 2; ++core) {
      for (std::size_t i = 0; i < kRowsOfSeries; ++i) {
        Point& point = points.emplace_back();
        point.host = "h" + std::to_string(100 + host);
        point.core = core;
        point.time = static_cast<std::int64_t>(i) * 10;
        point.f = static_cast<double>(random() % 1'000);
        point.i = static_cast<std::int64_t>(random() % 1'000);
        point.s = "s" + std::to_string(random() % 1'000);
      }
    }
  }
  return points;
}

AggregationSpec request_by(std::vector<std::string> by) {
  AggregationSpec request = testing::request_of({of("sum", "i"), of("p90", "f"), of("first", "s"), of("last", "s"),
                                                 of("rate", "i"), of("stddev", "i"), of("count", "")});
  request.by = std::move(by);
  request.every = 300;
  request.batch_rows = 100;
  return request;
}

std::vector<std::unique_ptr<AggregateInput>> parts_of(std::span<const Point> all, std::size_t series_a_part) {
  std::vector<std::unique_ptr<AggregateInput>> parts;
  const std::size_t rows = series_a_part * kRowsOfSeries;
  for (std::size_t begin = 0; begin < all.size(); begin += rows) {
    parts.push_back(testing::input_of(all.subspan(begin, std::min(rows, all.size() - begin)), 77));
  }
  return parts;
}

TEST(ConcurrentAggregation, PartsGiveWhatOneStreamGives) {
  const std::vector<Point> all = points();
  ThreadPool pool(4);
  for (const auto& by : std::vector<std::vector<std::string>>{{}, {"host"}, {"core"}, {"host", "core"}}) {
    const AggregationSpec request = request_by(by);
    auto whole = aggregate(testing::input_of(all, 1'000), *testing::point_schema(), request);
    ASSERT_TRUE(whole);
    const std::vector<Cells> expected = testing::read_rows(*whole, request.batch_rows).value();
    for (const std::size_t series_a_part : {1U, 7U, 100U}) {
      auto apart = aggregate(parts_of(all, series_a_part), *testing::point_schema(), request, pool, 2);
      ASSERT_TRUE(apart);
      const std::vector<Cells> rows = testing::read_rows(*apart, request.batch_rows).value();
      ASSERT_EQ(rows.size(), expected.size());
      for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::size_t i = 0; i < rows[row].size(); ++i) {
          if (const auto* value = std::get_if<double>(&expected[row][i])) {
            ASSERT_DOUBLE_EQ(std::get<double>(rows[row][i]), *value);
          } else {
            ASSERT_EQ(rows[row][i], expected[row][i]);
          }
        }
      }
    }
  }
}

TEST(ConcurrentAggregation, AnErrorInOnePartIsTheStreams) {
  const std::vector<Point> all = points();
  ThreadPool pool(2);
  for (const auto& by : std::vector<std::vector<std::string>>{{}, {"host", "core"}}) {
    auto parts = parts_of(all, 10);
    parts[3] = testing::input_of(std::make_unique<testing::ListSource>(
        std::vector{testing::to_batch(std::span(all).subspan(30 * kRowsOfSeries, 10))},
        Error{.code = ErrorCode::kCorruption, .message = "a block is damaged"}));
    auto stream = aggregate(std::move(parts), *testing::point_schema(), request_by(by), pool, 2);
    ASSERT_TRUE(stream);
    const auto rows = testing::read_rows(*stream);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().message, "a block is damaged");
    EXPECT_EQ(stream->rows->next().value(), nullptr);
  }
}

TEST(ConcurrentAggregation, AStreamMayBeDroppedAtAnyPoint) {
  const std::vector<Point> all = points();
  ThreadPool pool(2);
  for (const auto& by : std::vector<std::vector<std::string>>{{}, {"host", "core"}}) {
    for (int batches = 0; batches < 3; ++batches) {
      auto stream = aggregate(parts_of(all, 3), *testing::point_schema(), request_by(by), pool, 2);
      ASSERT_TRUE(stream);
      for (int i = 0; i < batches; ++i) ASSERT_TRUE(stream->rows->next());
    }
  }
}

}  // namespace
}  // namespace marigram::query
