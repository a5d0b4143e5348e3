// Rollups, fills and charts of databases. That levels say what the rows say is for query/rollup_test.cc; without this
// test rows in memory, or those that a flush makes segments of, could be counted beside a level that has them, or be
// left out.
#include <marigram/database.h>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace marigram {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;

std::vector<std::string> lines_of(ArrowArrayStream* stream) {
  std::vector<std::string> lines;
  const auto reader = *arrow::ImportRecordBatchReader(stream);
  while (const auto batch = *reader->Next()) {
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string& line = lines.emplace_back();
      for (const auto& column : batch->columns())
        line += (line.empty() ? "" : " ") + (*column->GetScalar(row))->ToString();
    }
  }
  return lines;
}

std::vector<std::string> answer(const Database& db, const QueryRequest& request) {
  ArrowArrayStream out;
  const Status status = db.query("t", "cpu", request, &out);
  EXPECT_TRUE(status) << status.error().message;
  return status ? lines_of(&out) : std::vector<std::string>();
}

/// Two databases with the same rows, of which one keeps rollups.
TEST(DatabaseRollups, AnswersAreThoseOfTheRows) {
  Database with = *Database::open("memory:");
  Database without = *Database::open("memory:");
  std::mt19937_64 random(9);
  bool is_set = false;
  for (int step = 0; step < 120; ++step) {
    const auto host = fmt::format("h{}", random() % 3);
    const auto start = static_cast<std::int64_t>(random() % 3'000) * kSecond;
    for (std::int64_t i = 0; i < 40; ++i) {
      const auto time = start + i * static_cast<std::int64_t>(random() % 5) * kSecond;
      const auto value = static_cast<double>(random() % 1'000);
      ASSERT_TRUE(with.insert("t", "cpu", time, value, {{"host", host}}));
      ASSERT_TRUE(without.insert("t", "cpu", time, value, {{"host", host}}));
    }
    if (random() % 3 == 0) {
      ASSERT_TRUE(with.flush());
    }
    if (!is_set || random() % 40 == 0) {
      ASSERT_TRUE(with.set_rollups("t", "cpu", {.intervals = {"10s", random() % 2 == 0 ? "1m" : "5m"}}));
      is_set = true;
    }
    if (random() % 4 == 0) {
      ASSERT_TRUE(with.refresh_rollups("t", "cpu"));
    }
    if (random() % 10 == 0) {
      ASSERT_TRUE(with.compact());
    }
    if (random() % 10 == 0) {
      const Selection gone{.from_ns = start, .to_ns = start + kMinute};
      EXPECT_EQ(with.remove("t", "cpu", gone).value(), without.remove("t", "cpu", gone).value());
    }
    constexpr const char* kAggregates[] = {"sum", "max", "count", "last", "avg"};
    const QueryRequest request{.from_ns = random() % 2 == 0 ? start : 0,
                               .aggregate = kAggregates[random() % 5],
                               .every = static_cast<std::int64_t>(random() % 4) * kMinute / 2,
                               .by_series = random() % 2 == 0};
    ASSERT_EQ(answer(with, request), answer(without, request)) << step;
  }
  QueryStatistics statistics;
  ASSERT_TRUE(with.flush());
  ASSERT_TRUE(with.refresh_rollups("t", "cpu"));
  answer(with, {.aggregate = "sum", .every = kMinute / 6, .statistics = &statistics});
  ASSERT_EQ(statistics.rollups.size(), 1U);
  EXPECT_EQ(statistics.rollups.front().interval, "10s");
  EXPECT_EQ(statistics.rows_scanned, 0U);
}

TEST(DatabaseRollups, IntervalsOfACalendarAreFilled) {
  Database db = *Database::open("memory:");
  constexpr std::int64_t kDay = 1'440 * kMinute;
  ASSERT_TRUE(db.insert("t", "cpu", 0, 1));
  ASSERT_TRUE(db.insert("t", "cpu", 59 * kDay, 3));
  EXPECT_THAT(answer(db, {.aggregate = "sum", .every = Interval::of_months(1), .fill = {.kind = Fill::kLinear}}),
              ElementsAre("1970-01-01 00:00:00.000000000 1", "1970-02-01 00:00:00.000000000 2.050847457627119",
                          "1970-03-01 00:00:00.000000000 3"));
}

TEST(DatabaseRollups, ChartsAreOfSegmentsAndMemory) {
  Database db = *Database::open("memory:");
  for (std::int64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(db.insert("t", "cpu", i, i == 70 ? 1e6 : static_cast<double>(i % 5), {{"host", "a"}}));
    if (i == 50) {
      ASSERT_TRUE(db.flush());
    }
  }
  ArrowArrayStream out;
  ASSERT_TRUE(db.downsample("t", "cpu", {.field = "value", .points = 10}, &out));
  const std::vector<std::string> lines = lines_of(&out);
  EXPECT_EQ(lines.size(), 10U);
  EXPECT_THAT(lines, ::testing::Contains(::testing::HasSubstr(" 1000000")));
  ASSERT_TRUE(db.downsample("t", "cpu", {.field = "value", .points = 3}, &out));
  EXPECT_EQ(lines_of(&out).size(), 3U);
  EXPECT_EQ(db.downsample("t", "cpu", {.field = "host"}, &out).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(db.downsample("t", "cpu", {.field = "value", .points = 2}, &out).error().code, ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace marigram
