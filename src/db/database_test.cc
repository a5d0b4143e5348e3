// A database as its users have it. Without this test the parts could be sound and not fit together.
#include <marigram/database.h>

#include "io/temporary_folder.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace marigram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct DatabaseTest : ::testing::Test {
  io::TemporaryFolder folder;
  std::string path = (folder.path() / "db").string();

  Database open(const DatabaseOptions& options = {}) const {
    auto db = Database::open(path, options);
    EXPECT_TRUE(db) << db.error().message;
    return std::move(*db);
  }
};

struct ToText {
  std::string operator()(std::monostate /*null*/) const { return "-"; }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(Instant time) const { return std::to_string(time.seconds * 1'000'000'000 + time.nanos); }
  std::string operator()(double number) const { return std::to_string(std::lround(number * 100)); }
  template <typename Integer>
  std::string operator()(Integer number) const {
    return std::to_string(number);
  }
};

/// Each row as its cells; numbers of floats in hundredths.
std::vector<std::string> rows_of(const Database& db, std::string_view series, const QueryRequest& request = {}) {
  auto stream = db.query("t", series, request);
  EXPECT_TRUE(stream) << stream.error().message;
  std::vector<std::string> rows;
  while (stream) {
    auto batch = stream->next();
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || !*batch) break;
    for (std::size_t row = 0; row < (*batch)->rows(); ++row) {
      std::string text;
      for (std::size_t column = 0; column < (*batch)->columns(); ++column) {
        text += (column > 0 ? " " : "") + std::visit(ToText(), (*batch)->at(row, column));
      }
      rows.push_back(text);
    }
  }
  return rows;
}

#define EXPECT_OK(expression)                      \
  do {                                             \
    const auto result = (expression);              \
    EXPECT_TRUE(result) << result.error().message; \
  } while (false)

TEST_F(DatabaseTest, WhatIsInsertedIsSeenAtOnceAndLasts) {
  {
    Database db = open();
    EXPECT_OK(db.insert("t", "cpu", 10, 1.5, {{"host", "a"}}));
    EXPECT_OK(db.insert("t", "cpu", 20, 2.5, {{"host", "a"}, {"core", "x"}}));
    EXPECT_OK(db.insert("t", "cpu", 20, 3.5, {{"host", "b"}}));
    EXPECT_THAT(db.list_tags("t", "cpu").value(), ElementsAre("core", "host"));
    EXPECT_THAT(rows_of(db, "cpu"), ::testing::SizeIs(3));
    EXPECT_OK(db.flush());
    EXPECT_THAT(rows_of(db, "cpu"), ::testing::SizeIs(3));
    EXPECT_OK(db.close());
  }
  const Database db = open();
  EXPECT_EQ(db.recovery().points, 0U);
  EXPECT_THAT(rows_of(db, "cpu"), ::testing::SizeIs(3));
}

TEST_F(DatabaseTest, ColumnsAreTheTimeTheTagsAndTheFieldsAsTheyCame) {
  Database db = open();
  const auto columns = [&] {
    std::vector<std::string> names;
    const Batch batch = db.query("t", "cpu").value().next().value().value();
    for (std::size_t column = 0; column < batch.columns(); ++column) names.push_back(batch.column_name(column));
    return names;
  };
  EXPECT_OK(db.insert("t", "cpu", 1, 1, {{"z", "1"}, {"y", "1"}}));
  EXPECT_THAT(columns(), ElementsAre("time", "y", "z", "value"));
  EXPECT_OK(db.insert_rows("t", "cpu", std::vector<Row>{{.time_ns = 2, .tags = {{"a", "1"}}, .fields = {{"b", 1.0}}}}));
  EXPECT_THAT(columns(), ElementsAre("time", "y", "z", "a", "value", "b"));
  EXPECT_OK(db.flush());
  EXPECT_THAT(columns(), ElementsAre("time", "y", "z", "a", "value", "b"));
}

TEST_F(DatabaseTest, ColumnsThatInsertsCannotFillReadNull) {
  Database db = open();
  EXPECT_OK(db.create_table("t", "cpu",
                            {.time_column = "time",
                             .unit = TimeUnit::kNano,
                             .fields = {{.name = "small", .type = "int32"}, {.name = "value", .type = "float64"}},
                             .duplicates = Duplicates::kLast}));
  EXPECT_OK(db.insert("t", "cpu", 1, 1));
  for (int flushed = 0; flushed < 2; ++flushed) {
    EXPECT_THAT(rows_of(db, "cpu"), ElementsAre("1 100 -"));
    EXPECT_THAT(rows_of(db, "cpu", {.fields = {"small"}}), ElementsAre("1 -"));
    const Row row{.time_ns = 2, .fields = {{"small", std::int64_t{1}}}};
    const auto refused = db.insert_rows("t", "cpu", std::span(&row, 1));
    EXPECT_EQ(refused.error().code, ErrorCode::kSchemaMismatch);
    EXPECT_THAT(refused.error().message, HasSubstr("small is a column of another type"));
    EXPECT_OK(db.flush());
  }
}

TEST_F(DatabaseTest, TheLaterRowWinsAcrossHeadAndSegments) {
  Database db = open();
  EXPECT_OK(db.insert("t", "cpu", 10, 1, {{"host", "a"}}));
  EXPECT_OK(db.flush());
  EXPECT_OK(db.insert("t", "cpu", 10, 2, {{"host", "a"}}));
  EXPECT_THAT(rows_of(db, "cpu"), ElementsAre("10 a 200"));
  EXPECT_OK(db.flush());
  EXPECT_THAT(rows_of(db, "cpu"), ElementsAre("10 a 200"));
  EXPECT_OK(db.insert("t", "cpu", 10, 3, {{"host", "a"}}));
  EXPECT_OK(db.insert("t", "cpu", 5, 4, {{"host", "a"}}));
  EXPECT_THAT(rows_of(db, "cpu"), ElementsAre("5 a 400", "10 a 300"));
  EXPECT_OK(db.compact());
  EXPECT_THAT(rows_of(db, "cpu"), ElementsAre("5 a 400", "10 a 300"));
}

TEST_F(DatabaseTest, MatchersChooseSeries) {
  Database db = open();
  for (const auto& [host, value] : std::vector<std::pair<std::string, double>>{{"a1", 1}, {"a2", 2}, {"b1", 3}}) {
    EXPECT_OK(db.insert("t", "cpu", 1, value, {{"host", host}}));
  }
  EXPECT_OK(db.insert("t", "cpu", 1, 4));
  const auto values = [&](const TagMatcher& matcher) { return rows_of(db, "cpu", {.where = {matcher}}); };
  for (int flushed = 0; flushed < 2; ++flushed) {
    EXPECT_THAT(values({"host", MatchOp::kEqual, "a2"}), ElementsAre("1 a2 200"));
    EXPECT_THAT(values({"host", MatchOp::kRegex, "a."}), ElementsAre("1 a1 100", "1 a2 200"));
    EXPECT_THAT(values({"host", MatchOp::kNotEqual, "a1"}), ElementsAre("1 - 400", "1 a2 200", "1 b1 300"));
    EXPECT_THAT(values({"host", MatchOp::kNotRegex, "a.|"}), ElementsAre("1 b1 300"));
    EXPECT_THAT(values({"none", MatchOp::kEqual, "x"}), IsEmpty());
    EXPECT_THAT(values({"none", MatchOp::kEqual, ""}), ::testing::SizeIs(4));
    EXPECT_OK(db.flush());
  }
}

TEST_F(DatabaseTest, Aggregates) {
  Database db = open();
  for (int i = 0; i < 10; ++i) EXPECT_OK(db.insert("t", "cpu", i, i, {{"host", i % 2 == 0 ? "a" : "b"}}));
  EXPECT_OK(db.flush());
  for (int i = 10; i < 20; ++i) EXPECT_OK(db.insert("t", "cpu", i, i, {{"host", i % 2 == 0 ? "a" : "b"}}));
  EXPECT_THAT(rows_of(db, "cpu", {.aggregate = "sum"}), ElementsAre("19000"));
  EXPECT_THAT(rows_of(db, "cpu", {.from_ns = 5, .to_ns = 14, .aggregate = "count"}), ElementsAre("10"));
  EXPECT_THAT(rows_of(db, "cpu", {.aggregate = "avg", .every = 10}), ElementsAre("0 450", "10 1450"));
  EXPECT_THAT(rows_of(db, "cpu", {.aggregate = "max", .every = 10, .by = {"host"}}),
              ElementsAre("a 0 800", "a 10 1800", "b 0 900", "b 10 1900"));
}

TEST_F(DatabaseTest, RemoveCountsAndLasts) {
  Database db = open();
  for (int i = 0; i < 100; ++i) EXPECT_OK(db.insert("t", "cpu", i, i, {{"host", i % 2 == 0 ? "a" : "b"}}));
  EXPECT_EQ(db.remove("t", "cpu", {.from_ns = 10, .to_ns = 19}).value(), 10U);
  EXPECT_EQ(db.remove("t", "cpu", {.where = {{"host", MatchOp::kEqual, "a"}}}).value(), 45U);
  EXPECT_EQ(db.remove("t", "cpu", {.where = {{"host", MatchOp::kEqual, "c"}}}).value(), 0U);
  EXPECT_THAT(rows_of(db, "cpu"), ::testing::SizeIs(45));
  EXPECT_OK(db.close());
  EXPECT_THAT(rows_of(open(), "cpu"), ::testing::SizeIs(45));
}

TEST_F(DatabaseTest, EveryValueComesBackBitForBit) {
  const double payload = std::bit_cast<double>(0x7ff8'0000'dead'beefULL);
  const std::vector<double> values{0.0,
                                   -0.0,
                                   payload,
                                   std::numeric_limits<double>::infinity(),
                                   -std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::denorm_min()};
  Database db = open();
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_OK(db.insert("t", "v", static_cast<std::int64_t>(i), values[i]));
  for (int flushed = 0; flushed < 2; ++flushed) {
    auto stream = db.query("t", "v").value();
    const Batch batch = stream.next().value().value();
    ASSERT_EQ(batch.rows(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(batch.values<double>(1)[i]), std::bit_cast<std::uint64_t>(values[i]));
    }
    EXPECT_OK(db.flush());
  }
}

TEST_F(DatabaseTest, OneOwnerAndAnyNumberOfReaders) {
  Database db = open();
  EXPECT_OK(db.insert("t", "cpu", 1, 1));
  EXPECT_OK(db.flush());
  const auto second = Database::open(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("owned by process"));
  Database reader = open({.read_only = true});
  EXPECT_THAT(rows_of(reader, "cpu"), ::testing::SizeIs(1));
  EXPECT_OK(db.insert("t", "cpu", 2, 2, {{"host", "new"}}));
  EXPECT_THAT(rows_of(reader, "cpu"), ::testing::SizeIs(1));
  EXPECT_OK(db.flush());
  EXPECT_THAT(rows_of(reader, "cpu"), ::testing::SizeIs(2));
  EXPECT_EQ(reader.insert("t", "cpu", 3, 3).error().code, ErrorCode::kPermissionDenied);
  EXPECT_OK(db.close());
  EXPECT_EQ(db.insert("t", "cpu", 3, 3).error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(rows_of(open(), "cpu"), ::testing::SizeIs(2));
}

TEST_F(DatabaseTest, ABatchIsTakenWholeOrNotAtAll) {
  Database db = open();
  const std::vector<Row> good{{.time_ns = 1, .fields = {{"i", std::int64_t{1}}, {"s", std::string("x")}}},
                              {.time_ns = 2, .fields = {{"b", true}, {"u", std::uint64_t{7}}}}};
  EXPECT_OK(db.insert_rows("t", "mixed", good));
  const std::vector<Row> bad{{.time_ns = 3, .fields = {{"i", std::int64_t{2}}}},
                             {.time_ns = 4, .fields = {{"b", 1.5}}}};
  EXPECT_EQ(db.insert_rows("t", "mixed", bad).error().code, ErrorCode::kSchemaMismatch);
  EXPECT_THAT(rows_of(db, "mixed"), ElementsAre("1 1 x - -", "2 - - true 7"));
}

TEST_F(DatabaseTest, LimitsOfSeriesAndMemoryAreErrors) {
  Database db = open({.memory_bytes = 1 << 20, .write_timeout = std::chrono::milliseconds(1), .series_max = 3});
  for (const char* host : {"a", "b", "c"}) EXPECT_OK(db.insert("t", "cpu", 1, 1, {{"host", host}}));
  const auto full = db.insert("t", "cpu", 1, 1, {{"host", "d"}});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(full.error().message, HasSubstr("3"));
  EXPECT_OK(db.insert("t", "cpu", 2, 1, {{"host", "a"}}));
}

TEST_F(DatabaseTest, FilesOfTheLogHaveTheSizeThatIsAskedFor) {
  for (const std::uint64_t bytes : {0ULL, 512ULL, 1'023ULL, 1'025ULL, (1ULL << 30) + 512, ~0ULL}) {
    for (const std::string& place : {path, std::string("memory:")}) {
      const auto refused = Database::open(place, {.log_file_bytes = bytes});
      ASSERT_FALSE(refused) << bytes;
      EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
      EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(bytes)));
      EXPECT_THAT(refused.error().message, HasSubstr("multiple of 512 in [1024, 1073741824]"));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(path)) << "what is refused makes nothing";
  {
    Database db = open({.log_file_bytes = 1'024});
    EXPECT_OK(db.insert("t", "cpu", 1, 1));
    EXPECT_EQ(std::filesystem::file_size(path + "/wal/00000000000000000000.wal"), 1'024U);
    const auto large = db.insert("t", "cpu", 2, 2, {{"host", std::string(1'000, 'h')}});
    ASSERT_FALSE(large) << "it does not fit in a file";
    EXPECT_EQ(large.error().code, ErrorCode::kInvalidInput);
    for (int time = 2; time < 100; ++time) EXPECT_OK(db.insert("t", "cpu", time, 2));
  }
  EXPECT_THAT(rows_of(open({.log_file_bytes = 1ULL << 20}), "cpu"), ::testing::SizeIs(99));
}

TEST_F(DatabaseTest, SnapshotsAreDatabases) {
  Database db = open();
  EXPECT_OK(db.insert("t", "cpu", 1, 1, {{"host", "a"}}));
  EXPECT_OK(db.insert("t", "odd name/..", 1, 2));
  const std::string copy = (folder.path() / "copy").string();
  EXPECT_OK(db.snapshot(copy));
  EXPECT_EQ(db.snapshot(copy).error().code, ErrorCode::kAlreadyExists);
  EXPECT_OK(db.insert("t", "cpu", 2, 2, {{"host", "a"}}));
  const std::string restored = (folder.path() / "restored").string();
  EXPECT_OK(Database::restore(copy, restored));
  Database back = Database::open(restored).value();
  EXPECT_THAT(rows_of(back, "cpu"), ElementsAre("1 a 100"));
  EXPECT_THAT(back.list_series("t").value(), ElementsAre("cpu", "odd name/.."));
  EXPECT_OK(back.insert("t", "cpu", 3, 3, {{"host", "b"}}));
  EXPECT_OK(back.close());
  EXPECT_THAT(rows_of(Database::open(restored).value(), "cpu"), ElementsAre("1 a 100", "3 b 300"));
}

TEST_F(DatabaseTest, MemoryDatabasesWorkAlike) {
  Database db = Database::open("memory:").value();
  EXPECT_OK(db.insert("t", "cpu", 1, 1, {{"host", "a"}}));
  EXPECT_OK(db.flush());
  EXPECT_OK(db.insert("t", "cpu", 2, 2, {{"host", "a"}}));
  EXPECT_THAT(rows_of(db, "cpu"), ElementsAre("1 a 100", "2 a 200"));
  EXPECT_OK(db.flush());
  EXPECT_THAT(rows_of(db, "cpu"), ElementsAre("1 a 100", "2 a 200"));
  EXPECT_THAT(db.list_tag_values("t", "cpu", "host").value(), ElementsAre("a"));
  EXPECT_EQ(db.metrics().points_inserted, 2U);
}

/// A stream of ticks: their times in nanoseconds, and prices.
ArrowArrayStream ticks(const std::vector<std::pair<std::uint32_t, double>>& rows) {
  BatchBuilder builder({{.name = "time", .type = "timestamp[ns]"},
                        {.name = "symbol", .type = "string"},
                        {.name = "value", .type = "float64"}});
  for (const auto& [nanos, price] : rows) builder.add({Instant{.seconds = 0, .nanos = nanos}, std::string("A"), price});
  ArrowSchema schema;
  ArrowArray array;
  EXPECT_OK(builder.finish().value().export_to(&schema, &array));
  const auto batch = arrow::ImportRecordBatch(&array, &schema).ValueOrDie();
  const auto reader = arrow::RecordBatchReader::Make({batch}, batch->schema()).ValueOrDie();
  ArrowArrayStream stream;
  EXPECT_TRUE(arrow::ExportRecordBatchReader(reader, &stream).ok());
  return stream;
}

/// Inserted, appended, inserted: as the policy has it, in memory and in segments.
TEST_F(DatabaseTest, AppendedStreamsAreSeenWithInsertedRows) {
  Database db = open();
  TableOptions options{.time_column = "time", .unit = TimeUnit::kNano};
  options.bucket = "1s";
  options.tags = {{.name = "symbol", .type = "string"}};
  options.fields = {{.name = "value", .type = "float64"}};
  const std::vector<std::pair<Duplicates, std::vector<std::string>>> policies{
      {Duplicates::kAll, {"1 A 100", "1 A 200", "1 A 300", "2 A 250", "2 A 350"}},
      {Duplicates::kLast, {"1 A 300", "2 A 350"}},
      {Duplicates::kReject, {"1 A 100"}}};
  for (const auto& [policy, expected] : policies) {
    const std::string table = "ticks" + std::to_string(static_cast<int>(policy));
    options.duplicates = policy;
    EXPECT_OK(db.create_table("t", table, options));
    EXPECT_OK(db.insert("t", table, 1, 1, {{"symbol", "A"}}));
    ArrowArrayStream stream = ticks({{1, 2}, {2, 2.5}});
    const auto appended = db.append("t", table, &stream);
    const auto inserted =
        db.insert_batch("t", table, {{"symbol", "A"}}, std::vector<std::int64_t>{1, 2}, std::vector<double>{3, 3.5});
    if (policy == Duplicates::kReject) {
      EXPECT_EQ(appended.error().code, ErrorCode::kOverlap);
      EXPECT_EQ(inserted.error().code, ErrorCode::kOverlap);
    } else {
      EXPECT_EQ(appended.value().rows, 2U);
      EXPECT_OK(inserted);
    }
    EXPECT_THAT(rows_of(db, table), ::testing::ElementsAreArray(expected));
    EXPECT_OK(db.flush());
    EXPECT_THAT(rows_of(db, table), ::testing::ElementsAreArray(expected));
    EXPECT_OK(db.compact());
    EXPECT_THAT(rows_of(db, table), ::testing::ElementsAreArray(expected));
  }
}

TEST_F(DatabaseTest, RejectedDuplicatesStayRejectedWhenTagsCome) {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  const Database db = open({.duplicates = Duplicates::kReject});
  Database writer = db;
  ASSERT_TRUE(writer.insert("t", "cpu", 0, 1, {{"host", "a"}}));
  ASSERT_TRUE(writer.insert("t", "cpu", 0, 2, {{"host", "a"}, {"core", "0"}}));
  const auto is_refused = [&](const Tags& tags) {
    const Status inserted = writer.insert("t", "cpu", kSecondNs, 3, tags);
    return !inserted && inserted.error().code == ErrorCode::kOverlap;
  };
  EXPECT_TRUE(is_refused({{"host", "a"}}));
  EXPECT_TRUE(is_refused({{"host", "a"}, {"core", "0"}}));
  ASSERT_TRUE(writer.insert("t", "cpu", 0, 4, {{"host", "a"}, {"zone", "z"}}));
  ASSERT_TRUE(writer.flush());
  ASSERT_TRUE(writer.insert("t", "cpu", 0, 5, {{"host", "a"}, {"rack", "r"}}));
  EXPECT_TRUE(is_refused({{"host", "a"}}));
  EXPECT_TRUE(is_refused({{"host", "a"}, {"zone", "z"}}));
}

}  // namespace
}  // namespace marigram
