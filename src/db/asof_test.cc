// As-of joins of databases. That probes meet the right rows is for query/asof_test.cc; without this test rows in memory
// could be left out, or found twice while they are flushed.
#include <marigram/database.h>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram {
namespace {

using ::testing::ElementsAre;

void insert(Database& db, const std::string& table, std::int64_t time, const Tags& tags, double value) {
  const Row row{.time_ns = time, .tags = tags, .fields = {{table == "trades" ? "size" : "price", value}}};
  const Status inserted = db.insert_rows("t", table, std::span(&row, 1));
  ASSERT_TRUE(inserted) << inserted.error().message;
}

/// Rows as their cells, in a line each.
std::vector<std::string> lines_of(ArrowArrayStream* stream) {
  std::vector<std::string> lines;
  const auto reader = *arrow::ImportRecordBatchReader(stream);
  while (const auto batch = *reader->Next()) {
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string& line = lines.emplace_back();
      for (const auto& column : batch->columns()) {
        if (column->type_id() == arrow::Type::TIMESTAMP) continue;
        line += (line.empty() ? "" : " ") + (*column->GetScalar(row))->ToString();
      }
    }
  }
  return lines;
}

/// The rows of one table joined to those of the other, each as its cells.
std::vector<std::string> joined(const Database& db, const AsofRequest& request) {
  ArrowArrayStream probes;
  ArrowArrayStream out;
  EXPECT_TRUE(db.query("t", "trades", {}, &probes));
  const Status status = db.asof("t", "quotes", &probes, request, &out);
  EXPECT_TRUE(status) << status.error().message;
  std::vector<std::string> rows;
  const auto reader = *arrow::ImportRecordBatchReader(&out);
  while (const auto batch = *reader->Next()) {
    const auto symbol = batch->GetColumnByName("symbol");
    const auto price = batch->GetColumnByName("price");
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      const auto cell = [&](const auto& column) { return (*column->GetScalar(row))->ToString(); };
      rows.push_back(fmt::format("{} {}", cell(symbol), cell(price)));
    }
  }
  return rows;
}

TEST(DatabaseAsof, ProbesMeetRowsInSegmentsAndInMemory) {
  Database db = *Database::open("memory:");
  insert(db, "quotes", 10, {{"symbol", "x"}}, 1);
  insert(db, "quotes", 20, {{"symbol", "y"}}, 2);
  ASSERT_TRUE(db.flush());
  insert(db, "quotes", 30, {{"symbol", "x"}}, 3);
  insert(db, "quotes", 5, {}, 4);
  insert(db, "trades", 9, {}, 1);
  insert(db, "trades", 9, {{"symbol", "x"}}, 1);
  insert(db, "trades", 15, {{"symbol", "x"}}, 1);
  insert(db, "trades", 35, {{"symbol", "x"}}, 1);
  insert(db, "trades", 35, {{"symbol", "y"}}, 1);
  for (int flushed = 0; flushed < 2; ++flushed) {
    EXPECT_THAT(joined(db, {}), ElementsAre("null 4", "x null", "x 1", "x 3", "y 2"));
    EXPECT_THAT(joined(db, {.direction = AsofDirection::kForward}),
                ElementsAre("null null", "x 1", "x 3", "x null", "y null"));
    ASSERT_TRUE(db.flush());
  }
  ArrowArrayStream probes;
  ArrowArrayStream out;
  ASSERT_TRUE(db.query("t", "trades", {}, &probes));
  EXPECT_EQ(db.asof("t", "none", &probes, {}, &out).error().code, ErrorCode::kNotFound);
}

TEST(DatabaseAsof, LastRowsAndWindowsAreOfSegmentsAndMemory) {
  Database db = *Database::open("memory:");
  insert(db, "quotes", 10, {{"symbol", "x"}}, 1);
  insert(db, "quotes", 20, {{"symbol", "y"}}, 2);
  ASSERT_TRUE(db.flush());
  insert(db, "quotes", 30, {{"symbol", "x"}}, 3);
  insert(db, "quotes", 5, {{"symbol", "z"}}, 4);
  insert(db, "trades", 25, {{"symbol", "x"}}, 1);
  insert(db, "trades", 25, {{"symbol", "z"}}, 1);
  for (int flushed = 0; flushed < 2; ++flushed) {
    ArrowArrayStream out;
    ASSERT_TRUE(db.latest("t", "quotes", {}, &out));
    EXPECT_THAT(lines_of(&out), ElementsAre("x 3", "y 2", "z 4"));
    ASSERT_TRUE(db.latest("t", "quotes", {.edge = SeriesEdge::kFirst}, &out));
    EXPECT_THAT(lines_of(&out), ElementsAre("x 1", "y 2", "z 4"));
    ArrowArrayStream probes;
    ASSERT_TRUE(db.query("t", "trades", {.fields = {"size"}}, &probes));
    const WindowJoinRequest windows{
        .before = 15'000, .after = 5, .columns = {{.aggregate = "sum(price)"}, {.aggregate = "count"}}};
    ASSERT_TRUE(db.window_join("t", "quotes", &probes, windows, &out));
    EXPECT_THAT(lines_of(&out), ElementsAre("x 1 4 2", "z 1 4 1"));
    ASSERT_TRUE(db.flush());
  }
}

}  // namespace
}  // namespace marigram
