// The quick way of points against the thorough one. Without this test a point could land in another series when it
// comes a second time, or one that must be refused could be taken.
#include "db/known_points.h"
#include "base/manual_clock.h"
#include "base/thread_pool.h"
#include "db/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

using ::testing::ElementsAreArray;

struct KnownPoints : ::testing::Test {
  ManualClock clock;
  ThreadPool pool{1};
  std::unique_ptr<Core> core;
  std::mt19937_64 random{7};

  void SetUp() override {
    const Surroundings surroundings{
        .storage = make_memory_storage(clock), .clock = &clock, .pool = &pool, .background = false};
    auto opened = Core::open(surroundings, {});
    ASSERT_TRUE(opened) << opened.error().message;
    core = std::move(*opened);
  }

  void write(const std::string& table, std::span<const Point> points) const {
    const Status written = core->write_points("t", table, points, {});
    ASSERT_TRUE(written) << written.error().message;
  }
  table::LiveTable& table(const std::string& name) const { return *core->catalogue().find("t", name).value(); }

  std::size_t below(std::size_t end) { return random() % end; }
  /// Of few series; in any order, sometimes with an empty value or a tag twice.
  Tags any_tags() {
    Tags tags;
    for (const char* name : {"a", "b", "c"}) {
      if (below(3) > 0) tags.push_back({.name = name, .value = std::string(below(3), 'x')});
    }
    if (below(20) == 0) tags.push_back({.name = "a", .value = "y"});
    std::ranges::shuffle(tags, random);
    return tags;
  }
  std::vector<Point> any_points(std::size_t count) {
    std::vector<Point> points;
    while (points.size() < count) {
      const Tags tags = any_tags();
      for (std::size_t same = below(4) + 1; same > 0; --same) {
        points.push_back({.time_ns = static_cast<std::int64_t>(random()), .value = 0.5, .tags = tags});
      }
    }
    return points;
  }
};

std::vector<std::uint64_t> cells(const table::IncomingRows& rows) {
  return rows.arriving().fields.front()->cells;
}

TEST_F(KnownPoints, AreWhatTheBuilderMakesOfThem) {
  write("m", any_points(20));
  table::LiveTable& known = table("m");
  int quick = 0;
  for (int round = 0; round < 2'000; ++round) {
    const std::vector<Point> points = any_points(below(8) + 1);
    const auto rows = known_points(known, points).value();
    if (!rows) {
      std::ignore = core->write_points("t", "m", std::span(points), {});
      continue;
    }
    ++quick;
    const auto batch = batch_of("m", std::span(points), false);
    ASSERT_TRUE(batch) << batch.error().message;
    const auto thorough = known.admit(known.check(batch->tables.front(), false).value(), false).value();
    EXPECT_THAT(rows->arriving().series, ElementsAreArray(thorough.arriving().series));
    EXPECT_THAT(rows->arriving().times, ElementsAreArray(thorough.arriving().times));
    EXPECT_EQ(cells(*rows), cells(thorough));
  }
  EXPECT_GT(quick, 1'000);
}

TEST_F(KnownPoints, OfOneSeriesAreTheSame) {
  const Tags tags = {{.name = "b", .value = "1"}, {.name = "a", .value = "2"}};
  const std::vector<std::int64_t> times = {3, 1, 2};
  const std::vector<double> values = {0.5, std::numeric_limits<double>::quiet_NaN(), -0.0};
  const SeriesPoints points{.tags = tags, .times_ns = times, .values = values};
  ASSERT_TRUE(core->write_points("t", "m", points, {}));
  const auto rows = known_points(table("m"), points).value();
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->arriving().times, ElementsAreArray(times));
  EXPECT_THAT(rows->arriving().series, ElementsAreArray({0U, 0U, 0U}));
  const auto batch = batch_of("m", points, false).value();
  EXPECT_EQ(cells(*rows), batch.tables.front().fields.front().cells);
  EXPECT_FALSE(
      known_points(table("m"), {.tags = tags, .times_ns = times, .values = std::span(values).first(2)}).value());
}

TEST_F(KnownPoints, LeaveTheRestToTheBuilder) {
  const Tags tags = {{.name = "a", .value = "1"}};
  write("m", std::vector<Point>{{.time_ns = 1, .value = 0.5, .tags = tags}});
  write("texts", std::vector<Point>{{.time_ns = 1, .value = std::string("x"), .tags = tags}});
  const auto is_known = [&](const char* name, const Point& point) {
    return known_points(table(name), std::span(&point, 1)).value().has_value();
  };
  EXPECT_TRUE(is_known("m", {.time_ns = 2, .value = 1.5, .tags = tags}));
  EXPECT_FALSE(is_known("m", {.time_ns = 2, .value = 1.5}));
  EXPECT_FALSE(is_known("m", {.time_ns = 2, .value = 1.5, .tags = {{.name = "a", .value = "2"}}}));
  EXPECT_FALSE(is_known("m", {.time_ns = 2, .value = std::int64_t{1}, .tags = tags}));
  EXPECT_FALSE(is_known("m", {.time_ns = 2, .value = {}, .tags = tags}));
  EXPECT_FALSE(is_known("texts", {.time_ns = 2, .value = std::string("x"), .tags = tags}));
  EXPECT_FALSE(known_points(table("m"), std::span<const Point>()).value());
}

TEST_F(KnownPoints, OfDeclaredTablesHaveAllTags) {
  TableOptions options = options_of_new_tables({});
  options.growing = false;
  options.tags = {{.name = "a", .type = "string"}, {.name = "b", .type = "string"}};
  options.fields = {{.name = "value", .type = "float64", .nullable = true}};
  ASSERT_TRUE(core->catalogue().create("t", "m", options));
  const Tags tags = {{.name = "a", .value = "1"}, {.name = "b", .value = "1"}};
  write("m", std::vector<Point>{{.time_ns = 1, .value = 0.5, .tags = tags}});
  EXPECT_TRUE(known_points(table("m"), std::vector<Point>{{.time_ns = 2, .value = 0.5, .tags = tags}}).value());
  ASSERT_TRUE(table("m").series().resolve(std::span(tags).first(1)));
  EXPECT_FALSE(
      known_points(table("m"), std::vector<Point>{{.time_ns = 2, .value = 0.5, .tags = {tags.front()}}}).value());
}

}  // namespace
}  // namespace marigram::db
