// Bad input through every door of a database. Without this test it could be taken, or refused with half of it written:
// a table, a tag, a field or a series that nobody asked for stays for good.
#include "db/core.h"
#include "db/test_contents.h"
#include "model/rows.h"

#include <marigram/database.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;
constexpr auto kInvalid = ErrorCode::kInvalidInput;
constexpr auto kMismatch = ErrorCode::kSchemaMismatch;

/// A call that must fail, and what its message must say.
struct Refused {
  std::string what;
  std::function<Status(Database&)> call;
  ErrorCode code;
  Words words;
};

/// A row's tags, and where it should go.
struct BadName {
  std::string what;
  std::string tenant;
  std::string series;
  Tags tags;
  Words words;
};

struct BadInput : ::testing::Test {
  TestFolder folder;
  Database db = open_database(folder.surroundings(), {.log_file_bytes = kSmallLog}).value();

  /// t.cpu grows and has the tag host, the fields value and n; t.fixed does not grow; t.strict rejects duplicates.
  void SetUp() override {
    const ColumnInfo host{.name = "host", .type = "string"};
    const ColumnInfo value{.name = "value", .type = "float64"};
    TableOptions fixed{.time_column = "when", .unit = TimeUnit::kMicro, .tags = {host}, .fields = {value}};
    fixed.tags.push_back({.name = "core", .type = "int64"});
    fixed.duplicates = Duplicates::kLast;
    fine(db.create_table("t", "fixed", fixed));
    fine(db.create_table("t", "strict",
                         {.time_column = "time", .unit = TimeUnit::kNano, .bucket = "1s", .growing = true}));
    fine(db.insert("t", "strict", 0, 1, {{"host", "a"}}));
    fine(db.insert("t", "cpu", 1, 1.5, {{"host", "a"}}));
    fine(db.flush());
    const Row row{.time_ns = 2, .tags = {{"host", "b"}}, .fields = {{"n", std::int64_t{7}}}};
    fine(db.insert_rows("t", "cpu", std::span(&row, 1)));
    fine(db.insert("t", "strict", 5'000'000'000, 1, {{"host", "a"}}));
    fine(db.insert("t", "fixed", 1'000, 1, {{"host", "a"}, {"core", "0"}}));
  }

  void expect(const Refused& refused) {
    SCOPED_TRACE(refused.what);
    const Contents before = contents_of(db, folder.path());
    const Status status = refused.call(db);
    ASSERT_FALSE(status) << "want: " << ::testing::PrintToString(refused.words);
    EXPECT_EQ(error_code_name(status.error().code), std::string(error_code_name(refused.code)));
    for (const std::string& word : refused.words) EXPECT_THAT(status.error().message, HasSubstr(word));
    EXPECT_LT(status.error().message.size(), 600U);
    EXPECT_EQ(contents_of(db, folder.path()), before);
  }

  std::vector<std::int64_t> times_of(const std::string& table, const QueryRequest& request) const {
    std::vector<std::int64_t> times;
    auto stream = db.query("t", table, request).value();
    while (const auto batch = stream.next().value()) {
      const std::span<const std::int64_t> some = batch->values<std::int64_t>(0);
      times.insert(times.end(), some.begin(), some.end());
    }
    return times;
  }

  /// The same through each of the four doors; a good row goes before the bad one where there can be two.
  void expect_at_all_doors(const BadName& bad) {
    const std::int64_t time = 9;
    const double value = 1;
    const std::vector<Point> points{{.time_ns = 8, .value = 1.0, .tags = {{"fresh", "x"}}},
                                    {.time_ns = 9, .value = 1.0, .tags = bad.tags}};
    const std::vector<Row> rows{{.time_ns = 8, .tags = {{"fresh", "x"}}, .fields = {{"more", 1.0}}},
                                {.time_ns = 9, .tags = bad.tags, .fields = {{"value", 1.0}}}};
    const auto& [what, tenant, series, tags, words] = bad;
    expect(
        {what + ": insert", [&](Database& d) { return d.insert(tenant, series, time, value, tags); }, kInvalid, words});
    expect({what + ": points", [&](Database& d) { return d.insert_batch(tenant, series, points); }, kInvalid, words});
    expect({what + ": rows", [&](Database& d) { return d.insert_rows(tenant, series, rows); }, kInvalid, words});
    const auto columns = [&](Database& d) {
      return d.insert_batch(tenant, series, tags, std::span(&time, 1), std::span(&value, 1));
    };
    expect({what + ": columns", columns, kInvalid, words});
  }
};

Tags tags_of(std::size_t count) {
  Tags tags;
  for (std::size_t i = 0; i < count; ++i) tags.push_back({fmt::format("tag{:04}", i), "x"});
  return tags;
}

TEST_F(BadInput, NamesOfNamespacesAndTables) {
  const std::vector<BadName> all{
      {"no namespace", "", "cpu", {}, {"namespace", "empty"}},
      {"NUL in a namespace", "a\0b"s, "cpu", {}, {R"("a\x00b")", "namespace", "NUL"}},
      {"a namespace that is no UTF-8", "a\xff", "cpu", {}, {R"("a\xff")", "namespace", "UTF-8"}},
      {"a long namespace", std::string(241, 'n'), "cpu", {}, {"namespace", "241", "want at most 240"}},
      {"no table", "t", "", {}, {"table", "empty"}},
      {"NUL in a table", "t", "a\0b"s, {}, {R"("a\x00b")", "table", "NUL"}},
      {"a table that is no UTF-8", "t", "\xc3(", {}, {"table", "UTF-8"}},
      {"a long table", "t", std::string(256, 'n'), {}, {"table", "256", "want at most"}},
      {"a table that is long as a folder", "t", std::string(81, '/'), {}, {"table", "243", "want at most 240"}},
  };
  for (const BadName& bad : all) expect_at_all_doors(bad);
}

TEST_F(BadInput, TagsThatNoTableTakes) {
  const auto bad = [&](const std::string& what, const Tags& tags, Words words) {
    for (const char* table : {"cpu", "strict", "new"}) {
      words.emplace_back(table);
      expect_at_all_doors({what + " in " + table, "t", table, tags, words});
      words.pop_back();
    }
  };
  bad("a name too long", {{std::string(256, 'n'), "x"}}, {"tag \"nnn", "256 bytes", "want at most 255"});
  bad("no name", {{"", "x"}}, {"tag", "name"});
  bad("NUL in a name", {{"a\0b"s, "x"}}, {R"(tag "a\x00b")", "NUL"});
  bad("a name that is no UTF-8", {{"a\xff", "x"}}, {R"(tag "a\xff")", "UTF-8"});
  bad("the time's name", {{"time", "x"}}, {"tag \"time\"", "time column", "choose another name"});
  bad("a reserved name", {{"__name__", "x"}}, {"tag \"__name__\"", "reserved", "choose another name"});
  bad("a field's name", {{"value", "x"}}, {"value", "tag"});
  bad("a tag twice", {{"a", "x"}, {"a", "y"}}, {"tag \"a\"", "twice"});
  bad("a tag twice with one value", {{"a", "x"}, {"b", ""}, {"a", "x"}}, {"tag \"a\"", "twice"});
  bad("a tag twice, once empty", {{"a", "x"}, {"a", ""}}, {"tag \"a\"", "twice"});
  bad("64 KiB", {{"big", std::string(65'536, 'x')}}, {"tag \"big\"", "65536 bytes", "want at most 16384"});
  bad("NUL in a value", {{"nul", "a\0b"s}}, {"tag \"nul\"", R"("a\x00b")", "NUL"});
  bad("a value that is no UTF-8", {{"bad", "\xed\xa0\x80"}}, {"tag \"bad\"", "UTF-8"});
  bad("1,000 tags", tags_of(1'000), {"too many tags", "got 1000", "want at most 256"});
}

TEST_F(BadInput, FieldsThatNoTableTakes) {
  const auto bad = [&](const std::string& what, std::vector<std::pair<std::string, Value>> fields, ErrorCode code,
                       Words words, const Tags& tags = {}) {
    for (const std::string table : {"cpu", "new"}) {
      const std::vector<Row> rows{{.time_ns = 8, .tags = {{"fresh", "x"}}, .fields = {{"more", 1.0}}},
                                  {.time_ns = 9, .tags = tags, .fields = fields}};
      words.push_back(table);
      expect({what + " in " + table, [&](Database& d) { return d.insert_rows("t", table, rows); }, code, words});
      words.pop_back();
    }
  };
  bad("no name", {{"", 1.0}}, kInvalid, {"field", "no name"});
  bad("a name too long", {{std::string(256, 'n'), 1.0}}, kInvalid, {"field \"nnn", "want at most 255"});
  bad("NUL in a name", {{"a\0b"s, 1.0}}, kInvalid, {R"(field "a\x00b")", "NUL"});
  bad("a name that is no UTF-8", {{"a\xff", 1.0}}, kInvalid, {R"(field "a\xff")", "UTF-8"});
  bad("the time's name", {{"time", 1.0}}, kInvalid, {"field \"time\"", "time column"});
  bad("a reserved name", {{"__x", 1.0}}, kInvalid, {"field \"__x\"", "reserved", "choose another name"});
  bad("a field twice", {{"a", 1.0}, {"a", 1.0}}, kInvalid, {"field \"a\"", "twice"});
  bad("a tag of the row", {{"zone", 1.0}}, kInvalid, {"field \"zone\"", "tag too"}, {{"zone", "x"}});
  bad("a tag of another row", {{"fresh", 1.0}}, kInvalid, {"field \"fresh\"", "tag too"});
  bad("a time as value", {{"a", Instant{}}}, kInvalid, {"field a", "time", "want a number"});
  bad("another type", {{"more", "x"s}}, kMismatch, {"field \"more\"", "got string, want float64"});
  bad("an integer among floats", {{"more", std::int64_t{1}}}, kMismatch, {"field \"more\"", "got int64"});
  bad("a long text", {{"s", std::string((1U << 20) + 1, 'x')}}, kInvalid,
      {"field \"s\"", "1048577", "want at most 1048576"});
  bad("a text that is no UTF-8", {{"s", "a\xf0\x9f"s}}, kInvalid, {"field \"s\"", "UTF-8"});
  std::vector<std::pair<std::string, Value>> many;
  for (int i = 0; i < 4'097; ++i) many.emplace_back(fmt::format("f{}", i), 1.0);
  bad("too many", many, kInvalid, {"too many fields", "want at most 4096"});
}

TEST_F(BadInput, WhatContradictsTheTable) {
  const auto rows = [](std::string table, std::vector<Row> batch) {
    return
        [table = std::move(table), batch = std::move(batch)](Database& d) { return d.insert_rows("t", table, batch); };
  };
  const Tags fresh{{"fresh", "x"}};
  const Tags all{{"host", "c"}, {"core", "1"}};
  const std::vector<Refused> refusals{
      {"another type",
       rows("cpu", {{1, fresh, {{"value", "x"s}, {"more", 1.0}}}}),
       kMismatch,
       {"t.cpu", "field value is of type float64; got string"}},
      {"an integer for a float",
       rows("cpu", {{1, fresh, {{"value", std::int64_t{1}}}}}),
       kMismatch,
       {"t.cpu", "field value is of type float64; got int64"}},
      {"a float for an integer", rows("cpu", {{1, fresh, {{"n", 1.0}}}}), kMismatch, {"field n is of type int64"}},
      {"a tag as field",
       rows("cpu", {{1, fresh, {{"host", 1.0}}}}),
       kMismatch,
       {"t.cpu", "host is a tag of the table"}},
      {"a field as tag", rows("cpu", {{1, {{"n", "x"}}, {{"more", 1.0}}}}), kMismatch, {"n is a field of the table"}},
      {"a new tag",
       rows("fixed", {{1'000, {{"host", "c"}, {"core", "1"}, {"fresh", "x"}}, {{"value", 1.0}}}}),
       kMismatch,
       {"t.fixed", "no tag fresh", "add the column"}},
      {"a new field", rows("fixed", {{1'000, all, {{"more", 1.0}}}}), kMismatch, {"t.fixed", "no field more"}},
      {"a tag that is lacking",
       rows("fixed", {{1'000, {{"host", "c"}}, {{"value", 1.0}}}}),
       kInvalid,
       {"t.fixed", "lacks the tag core"}},
      {"an empty tag",
       rows("fixed", {{1'000, {{"host", "c"}, {"core", ""}}, {{"value", 1.0}}}}),
       kInvalid,
       {"lacks the tag core"}},
      {"a tag that is no number",
       rows("fixed", {{1'000, {{"host", "c"}, {"core", "one"}}, {{"value", 1.0}}}}),
       kInvalid,
       {"t.fixed", "tag core is \"one\"", "int64"}},
      {"a number in another spelling",
       rows("fixed", {{1'000, {{"host", "c"}, {"core", "01"}}, {{"value", 1.0}}}}),
       kInvalid,
       {"tag core is \"01\""}},
      {"a time between two of the unit",
       rows("fixed", {{1'000, all, {}}, {1'001, all, {}}}),
       kInvalid,
       {"t.fixed", "time 1001 ns is none in us"}},
      {"the time column",
       rows("fixed", {{1'000, all, {{"when", 1.0}}}}),
       kInvalid,
       {"fixed", "field \"when\"", "time"}},
  };
  for (const Refused& refused : refusals) expect(refused);
}

TEST_F(BadInput, DuplicatesWhereTheyAreRejected) {
  const auto points = [](std::vector<Point> batch) {
    return [batch = std::move(batch)](Database& d) { return d.insert_batch("t", "strict", batch); };
  };
  constexpr std::int64_t kSecond = 1'000'000'000;
  const Tags known{{"host", "a"}};
  const Tags fresh{{"fresh", "x"}, {"host", "c"}};
  const auto overlap = ErrorCode::kOverlap;
  for (int flushed = 0; flushed < 2; ++flushed) {
    expect({"in a segment",
            points({{9 * kSecond, 1.0, fresh}, {1, 1.0, known}}),
            overlap,
            {"t.strict", "host=a", "another policy"}});
    expect(
        {"in memory", points({{9 * kSecond, 1.0, fresh}, {5 * kSecond, 1.0, known}}), overlap, {"host=a", "already"}});
    expect({"in itself",
            points({{9 * kSecond, 1.0, fresh}, {9 * kSecond + 1, 1.0, fresh}}),
            overlap,
            {"t.strict", "fresh=x,host=c", "twice by the batch itself"}});
    fine(db.flush());
  }
  const Tags grown{{"fresh", "x"}};
  fine(db.insert("t", "strict", 10 * kSecond, 1, known));
  fine(db.insert("t", "strict", 10 * kSecond, 1, grown));
  expect({"after a tag came", points({{10 * kSecond, 1.0, known}}), overlap, {"host=a"}});
  expect({"of the new tag", points({{10 * kSecond, 1.0, grown}}), overlap, {"fresh=x"}});
  fine(db.flush());
}

TEST_F(BadInput, ColumnsOfDifferentLengths) {
  const std::vector<std::int64_t> times{1, 2};
  const std::vector<double> values{1};
  const auto call = [&](Database& d) { return d.insert_batch("t", "new", {{"a", "x"}}, times, values); };
  expect({"two times and one value", call, kInvalid, {"new", "2 times and 1 value"}});
}

TEST_F(BadInput, BatchesThatAreTooLarge) {
  const auto zeros = [](std::size_t rows) {
    return [times = std::vector<std::int64_t>(rows), values = std::vector<double>(rows)](Database& d) {
      return d.insert_batch("t", "new", {{"a", "x"}}, times, values);
    };
  };
  expect({"rows", zeros((1U << 20) + 1), kInvalid, {"1048577 rows", "want at most 1048576", "split it"}});
  const auto known = [](Database& d) {
    const std::vector<std::int64_t> times(1U << 17);
    return d.insert_batch("t", "cpu", {{"host", "a"}}, times, std::vector<double>(times.size()));
  };
  expect({"bytes", known, kInvalid, {"too large", "want at most", "split it"}});
}

TEST_F(BadInput, WhatHasNoValueIsNoInput) {
  const Contents before = contents_of(db, folder.path());
  fine(db.insert_batch("t", "new", std::vector<Point>()));
  fine(db.insert_batch("t", "new", {}, std::vector<std::int64_t>(), std::vector<double>()));
  fine(db.insert_rows("t", "new", std::vector<Row>()));
  EXPECT_EQ(contents_of(db, folder.path()), before);
}

TEST_F(BadInput, RowsWithoutValuesAreThere) {
  const std::vector<Row> rows{{.time_ns = 1}, {.time_ns = 2, .fields = {{"v", std::monostate{}}}}};
  fine(db.insert_rows("t", "new", rows));
  EXPECT_THAT(times_of("new", {}), ::testing::ElementsAre(1, 2));
  const std::vector<Row> more{{.time_ns = 3, .fields = {{"v", "a\0b"s}}}, {.time_ns = 4, .tags = {{"a", ""}}}};
  fine(db.insert_rows("t", "new", more));
  fine(db.flush());
  const TableContents contents = contents_of(db, "t", "new");
  ASSERT_EQ(contents.rows.size(), 4U);
  for (std::size_t row = 0; row < 4; ++row) {
    EXPECT_EQ(contents.rows[row].back(), row == 2 ? Value("a\0b"s) : Value(std::monostate{}));
  }
  EXPECT_TRUE(contents.tags.empty());
}

TEST_F(BadInput, TheEndsOfTimeAreTaken) {
  using Limits = std::numeric_limits<std::int64_t>;
  const std::vector<std::int64_t> times{Limits::min(), Limits::min() + 1'000'000'000, -1, Limits::max()};
  const std::vector<double> values{1, 2, 3, 4};
  for (const char* table : {"cpu", "strict", "new"}) {
    fine(db.insert_batch("t", table, {{"host", "ends"}}, times, values));
    for (int flushed = 0; flushed < 2; ++flushed) {
      QueryRequest request{.where = {{.name = "host", .value = "ends"}}, .fields = {"value"}};
      EXPECT_EQ(times_of(table, request), times);
      request.from_ns = Limits::max();
      EXPECT_THAT(times_of(table, request), ::testing::ElementsAre(Limits::max()));
      request.from_ns = request.to_ns = Limits::min();
      EXPECT_THAT(times_of(table, request), ::testing::ElementsAre(Limits::min()));
      fine(db.flush());
    }
  }
}

/// Batches of several tables.
struct BadBatches : ::testing::Test {
  TestFolder folder;
  std::unique_ptr<Core> core;

  void open(DatabaseOptions options) {
    options.log_file_bytes = kSmallLog;
    core = Core::open(folder.surroundings(), options).value();
    model::WriteBatch batch;
    batch.tables = {rows_of("old", {"a"}, {"host"})};
    fine(core->write("t", batch, Durability::kSync));
  }

  /// A row a time, each of a series of its own.
  static model::TableRows rows_of(const std::string& table, const std::vector<std::string>& series,
                                  const std::vector<std::string>& tags, TimeUnit unit = TimeUnit::kNano,
                                  std::int64_t time = 1) {
    model::RowsBuilder builder(table, unit);
    const std::string name = "v" + tags.back();
    const model::Field field{.name = name, .value = 1.0};
    for (const std::string& value : series) {
      Tags row;
      for (const std::string& tag : tags) row.push_back({tag, value});
      fine(builder.add(row, time, std::span(&field, 1)));
    }
    return builder.finish();
  }

  /// The bad rows stand first, between and last.
  void expect_nothing_left(const std::string& what, const model::TableRows& bad, ErrorCode code) {
    for (std::size_t place = 0; place < 3; ++place) {
      SCOPED_TRACE(fmt::format("{}, at {}", what, place));
      model::WriteBatch batch;
      batch.tables = {rows_of("new", {"x"}, {"host"}), rows_of("old", {"y"}, {"zone"})};
      batch.tables.insert(batch.tables.begin() + static_cast<std::ptrdiff_t>(place), bad);
      const auto files = files_below(folder.path());
      const std::uint64_t series = core->catalogue().series();
      const Status status = core->write("t", batch, Durability::kSync);
      ASSERT_FALSE(status);
      EXPECT_EQ(error_code_name(status.error().code), std::string(error_code_name(code))) << status.error().message;
      EXPECT_EQ(files_below(folder.path()), files);
      EXPECT_EQ(core->catalogue().series(), series);
      EXPECT_EQ(core->points(), 1U);
    }
  }
};

TEST_F(BadBatches, LeaveNothingInTheirOtherTables) {
  open({.series_max = 8});
  expect_nothing_left("a reserved tag", rows_of("bad", {"x"}, {"__x"}), kInvalid);
  expect_nothing_left("a time too late", rows_of("bad", {"x"}, {"a"}, TimeUnit::kSecond, 9'223'372'037), kInvalid);
  expect_nothing_left("a name of a table", rows_of(std::string(241, 'n'), {"x"}, {"a"}), kInvalid);
  expect_nothing_left("a table twice", rows_of("new", {"z"}, {"a"}), kInvalid);
  expect_nothing_left("too many series", rows_of("bad", {"1", "2", "3", "4", "5", "6", "7", "8"}, {"a"}),
                      ErrorCode::kResourceExhausted);
}

TEST_F(BadBatches, LeaveNothingOfDuplicates) {
  open({.duplicates = Duplicates::kReject});
  expect_nothing_left("in a new table", rows_of("bad", {"x", "x"}, {"a"}), ErrorCode::kOverlap);
}

TEST_F(BadBatches, LeaveNothingOfSeriesBeyondTheLimit) {
  open({.series_max = 2});
  const auto write = [&](const model::TableRows& rows) {
    model::WriteBatch batch;
    batch.tables = {rows};
    return core->write("t", batch, Durability::kSync);
  };
  const auto files = files_below(folder.path());
  for (const model::TableRows& rows : {rows_of("new", {"x", "y"}, {"host"}), rows_of("old", {"x", "y"}, {"zone"})}) {
    EXPECT_EQ(write(rows).error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(files_below(folder.path()), files);
  }
  fine(write(rows_of("new", {"x"}, {"host"})));
}

}  // namespace
}  // namespace marigram::db
