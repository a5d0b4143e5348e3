// Rows come, late ones too, while what is old expires and others count. Without this test a row could be hidden before
// a level tells of it, or a level written by one could be undone by another, and a count would be wrong for a while or
// for good.
#include "query/expiry.h"
#include "query/rollup_refresh.h"
#include "query/test_aggregates.h"
#include "table/retention.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::kMinuteUs;
using table::testing::Row;

constexpr int kAppends = 150;
constexpr std::int64_t kRows = 30;  // an append

std::int64_t count_rows(table::Engine& engine) {
  auto stream = aggregate_snapshot({engine, engine.state()}, {}, testing::spec_of({"count"}), nullptr);
  EXPECT_TRUE(stream) << stream.error().message;
  const auto rows = testing::read_rows(*stream);
  EXPECT_TRUE(rows) << rows.error().message;
  return rows->empty() ? 0 : std::get<std::int64_t>(rows->front().front());
}

TEST(ConcurrentRetention, EveryRowCountsOnceAllTheTime) {
  table::testing::Fixture fixture;
  TableOptions options = table::testing::Fixture::options();
  options.segments = SegmentFormat::kNative;
  options.duplicates = Duplicates::kAll;
  options.rollups = {.intervals = {"1h", "1d"}};
  const auto own = fixture.create(options);
  ASSERT_TRUE(table::set_retention(*own, {{.keep = {{"rows", "12h"}, {"1h", "3d"}}}}));
  const auto open = [&] { return table::Engine::open(fixture.environment(), {}).value(); };

  std::atomic<std::int64_t> issued = 0;
  std::atomic<std::int64_t> told = 0;
  std::atomic<bool> ends = false;
  std::thread expiring([&] {
    const auto engine = open();
    while (!ends) {
      fixture.clock.advance(std::chrono::hours(2));
      const auto expired = expire(*engine);
      EXPECT_TRUE(expired) << expired.error().message;
    }
  });
  std::thread counting([&] {
    const auto engine = open();
    while (!ends) {
      const std::int64_t least = told;
      EXPECT_TRUE(engine->refresh());
      if (!engine->state()->meta->schema) continue;
      const std::int64_t count = count_rows(*engine);
      EXPECT_GE(count, least);
      EXPECT_LE(count, issued);
    }
  });
  for (int i = 0; i < kAppends; ++i) {
    std::vector<Row> rows;
    const std::int64_t now = fixture.clock.now().seconds / 60;
    for (std::int64_t row = 0; row < kRows; ++row) {
      const std::int64_t back =
          row % 3 == 0 ? row * 317 % (8 * 1'440) : row;  // a third comes late, by up to eight days
      rows.push_back({(now - back) * kMinuteUs + i, row % 2 == 0 ? "a" : "b", 1.0});
    }
    issued += kRows;
    const auto appended = table::testing::append_rows(*own, rows);
    ASSERT_TRUE(appended) << appended.error().message;
    told += kRows;
  }
  ends = true;
  expiring.join();
  counting.join();
  ASSERT_TRUE(expire(*own));
  EXPECT_EQ(count_rows(*own), kAppends * kRows);
  EXPECT_LT(table::testing::scan_rows(*own)->size(), static_cast<std::size_t>(kAppends * kRows)) << "some went";
  EXPECT_EQ(table::verify(fixture.environment(), false)->problems, std::vector<std::string>());
}

}  // namespace
}  // namespace marigram::query
