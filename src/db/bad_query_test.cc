// Bad questions, streams and declarations. Without this test a query could answer something else than what was asked,
// and an append or a declaration leave a table that inserts cannot write to.
#include "db/test_contents.h"

#include <marigram/batch.h>
#include <marigram/database.h>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;
using Row = std::vector<Value>;
constexpr auto kInvalid = ErrorCode::kInvalidInput;
constexpr auto kMismatch = ErrorCode::kSchemaMismatch;
constexpr auto kNone = ErrorCode::kNotFound;

struct BadQuestions : ::testing::Test {
  TestFolder folder;
  Database db = open_database(folder.surroundings(), {.log_file_bytes = kSmallLog}).value();

  void SetUp() override {
    const std::vector<marigram::Row> rows{
        {.time_ns = 1, .tags = {{"host", "a"}}, .fields = {{"value", 1.5}, {"note", "x"s}}},
        {.time_ns = 2, .tags = {{"host", "b"}}, .fields = {{"value", 2.5}}}};
    fine(db.insert_rows("t", "cpu", rows));
    fine(db.insert_rows("t", "notes", std::vector<marigram::Row>{{.time_ns = 1, .fields = {{"note", "x"s}}}}));
    fine(db.flush());
  }

  template <typename Call>
  void expect(const std::string& what, ErrorCode code, const Words& words, Call call) {
    SCOPED_TRACE(what);
    const Contents before = contents_of(db, folder.path());
    const auto outcome = call();
    ASSERT_FALSE(outcome) << "want: " << ::testing::PrintToString(words);
    EXPECT_EQ(error_code_name(outcome.error().code), std::string(error_code_name(code)));
    for (const std::string& word : words) EXPECT_THAT(outcome.error().message, HasSubstr(word));
    EXPECT_LT(outcome.error().message.size(), 600U);
    EXPECT_EQ(contents_of(db, folder.path()), before);
  }
};

TEST_F(BadQuestions, Queries) {
  const auto bad = [&](const std::string& what, const QueryRequest& request, ErrorCode code, const Words& words,
                       const std::string& table = "cpu") {
    expect(what, code, words, [&] { return db.query("t", table, request); });
  };
  const auto where = [](std::string tag, MatchOp op, std::string value) {
    return QueryRequest{.where = {{.name = std::move(tag), .op = op, .value = std::move(value)}}};
  };
  bad("no such table", {}, kNone, {"no table t.none"}, "none");
  bad("no table", {}, kInvalid, {"table", "empty"}, "");
  bad("backwards", {.from_ns = 2, .to_ns = 1}, kInvalid, {"from 2 to 1", "want from <= to"});
  bad("a condition without tag", where("", MatchOp::kEqual, "a"), kInvalid, {"tag without a name", "`a`"});
  bad("a bad expression", where("host", MatchOp::kRegex, "a("), kInvalid, {"host", "`a(`", "RE2"});
  bad("a bad expression, negated", where("host", MatchOp::kNotRegex, "[z-a]"), kInvalid, {"host", "`[z-a]`"});
  bad("an expression that is no UTF-8", where("host", MatchOp::kRegex, "\xff."), kInvalid, {"host", "UTF-8"});
  bad("an unknown field", {.fields = {"usage"}}, kNone, {"t.cpu", "no field usage", "value, note"});
  bad("a tag as field", {.fields = {"host"}}, kNone, {"t.cpu", "no field host"});
  bad("a field twice", {.fields = {"value", "value"}}, kInvalid, {"value", "twice"});
  bad("an unknown aggregate", {.aggregate = "mean"}, kInvalid, {"`mean`", "want count, sum, avg"});
  bad("a percentile beyond 100", {.aggregate = "p101"}, kInvalid, {"`p101`", "p0 to p100"});
  bad("an unknown field of an aggregate", {.fields = {"usage"}, .aggregate = "sum"}, kNone,
      {"t.cpu", "no field usage"});
  bad("a field twice in an aggregate", {.fields = {"value", "value"}, .aggregate = "sum"}, kInvalid, {"value"});
  bad("a sum of texts", {.fields = {"note"}, .aggregate = "sum"}, kInvalid, {"note", "string", "numbers have all"});
  bad("a sum of nothing", {.aggregate = "sum"}, kInvalid, {"t.notes", "sum", "number"}, "notes");
  bad("groups by what is no tag", {.aggregate = "sum", .by = {"value"}}, kInvalid, {"groups", "`value`", "host"});
  bad("groups by one tag twice", {.aggregate = "sum", .by = {"host", "host"}}, kInvalid, {"`host`"});
  bad("a negative width", {.aggregate = "sum", .every = -1}, kInvalid, {"width", "negative"});
  bad("groups without aggregate", {.by = {"host"}}, kInvalid, {"groups", "aggregate"});
  bad("a width without aggregate", {.every = 1}, kInvalid, {"interval", "aggregate"});
}

TEST_F(BadQuestions, WhatHasNoAnswerIsEmpty) {
  const auto rows = [&](const QueryRequest& request) {
    auto stream = db.query("t", "cpu", request).value();
    std::size_t count = 0;
    while (const auto batch = stream.next().value()) count += batch->rows();
    return count;
  };
  EXPECT_EQ(rows({.where = {{.name = "none", .value = "x"}}}), 0U);
  EXPECT_EQ(rows({.where = {{.name = "host", .value = "a\0"s}}}), 0U);
  EXPECT_EQ(rows({.where = {{.name = "host", .value = "\xff"}}}), 0U);
  EXPECT_EQ(rows({.limit = 0}), 0U);
  EXPECT_EQ(rows({.from_ns = 3, .aggregate = "sum", .every = 1}), 0U);
}

TEST_F(BadQuestions, ListsAndRemoval) {
  const std::vector<TagMatcher> bad{{.name = "host", .op = MatchOp::kRegex, .value = "("}};
  expect("series", kInvalid, {"`(`"}, [&] { return db.list_series("t", bad); });
  expect("series of no namespace", kInvalid, {"namespace", "empty"}, [&] { return db.list_series(""); });
  expect("tag sets", kInvalid, {"`(`"}, [&] { return db.list_tag_sets("t", "cpu", bad); });
  expect("tag sets of none", kNone, {"t.none"}, [&] { return db.list_tag_sets("t", "none"); });
  expect("tags of none", kNone, {"t.none"}, [&] { return db.list_tags("t", "none"); });
  expect("values", kInvalid, {"`(`"}, [&] { return db.list_tag_values("t", "cpu", "host", bad); });
  expect("removal", kInvalid, {"`(`"}, [&] { return db.remove("t", "cpu", {.where = bad}); });
  expect("removal backwards", kInvalid, {"from 2 to 1"}, [&] { return db.remove("t", "cpu", {2, 1}); });
  expect("removal from none", kNone, {"t.none"}, [&] { return db.remove("t", "none", {}); });
  expect("opening none", kNone, {}, [&] { return db.open_table("t", "none"); });
  EXPECT_TRUE(db.list_series("none").value().empty());
  EXPECT_TRUE(db.list_tag_values("t", "cpu", "none").value().empty());
}

/// A stream of one batch.
ArrowArrayStream stream_of(const std::vector<ColumnInfo>& columns, const std::vector<Row>& rows) {
  BatchBuilder builder(columns);
  for (const Row& row : rows) builder.add(row);
  const Batch batch = builder.finish().value();
  ArrowSchema schema;
  ArrowArray array;
  fine(batch.export_to(&schema, &array));
  const auto imported = arrow::ImportRecordBatch(&array, &schema).ValueOrDie();
  ArrowArrayStream stream;
  const auto reader = arrow::RecordBatchReader::Make({imported}, imported->schema()).ValueOrDie();
  EXPECT_TRUE(arrow::ExportRecordBatchReader(reader, &stream).ok());
  return stream;
}

TEST_F(BadQuestions, Streams) {
  const ColumnInfo time{.name = "time", .type = "timestamp[ns]"};
  const ColumnInfo host{.name = "host", .type = "string"};
  const ColumnInfo value{.name = "value", .type = "float64"};
  const Instant now{.seconds = 5, .nanos = 0};
  const auto bad = [&](const std::string& what, const std::vector<ColumnInfo>& columns, const std::vector<Row>& rows,
                       ErrorCode code, const Words& words) {
    expect(what, code, words, [&] {
      ArrowArrayStream stream = stream_of(columns, rows);
      return db.append("t", "cpu", &stream);
    });
  };
  const std::vector<ColumnInfo> all{time, host, value};
  bad("an unknown column", {time, host, value, {.name = "more", .type = "float64"}}, {{now, "a"s, 1.0, 1.0}}, kMismatch,
      {"more"});
  bad("no time", {host, value}, {{"a"s, 1.0}}, kMismatch, {"time", "missing"});
  bad("a time that is null", all, {{now, "a"s, 1.0}, {std::monostate{}, "a"s, 1.0}}, kInvalid, {"time", "null"});
  bad("another type", {time, host, {.name = "value", .type = "string"}}, {{now, "a"s, "x"s}}, kMismatch,
      {"value", "float64"});
  bad("a column twice", {time, host, value, value}, {{now, "a"s, 1.0, 1.0}}, kMismatch, {"value"});
  bad("no rows", all, {}, kInvalid, {"no rows"});
  bad("a time of another unit", {{.name = "time", .type = "timestamp[us]"}, host, value}, {{now, "a"s, 1.0}}, kMismatch,
      {"time", "timestamp[us]", "timestamp[ns]"});
  bad("a tag that is no UTF-8", all, {{now, "\xff"s, 1.0}}, kInvalid, {"host", "UTF-8"});
  bad("NUL in a tag", all, {{now, "a\0b"s, 1.0}}, kInvalid, {"host", "NUL"});
  bad("64 KiB in a tag", all, {{now, std::string(65'536, 'x'), 1.0}}, kInvalid,
      {"host", "65536", "want at most 16384"});
  bad("a text that is no UTF-8", {time, host, {.name = "note", .type = "string"}}, {{now, "a"s, "\xff"s}}, kInvalid,
      {"note", "UTF-8"});
  expect("no such table", kNone, {"t.none"}, [&] {
    ArrowArrayStream stream = stream_of(all, {{now, "a"s, 1.0}});
    return db.append("t", "none", &stream);
  });
  expect("a stream that is spent", kInvalid, {"released"}, [&] {
    ArrowArrayStream stream = stream_of(all, {{now, "a"s, 1.0}});
    stream.release(&stream);
    return db.append("t", "cpu", &stream);
  });
}

TEST_F(BadQuestions, Declarations) {
  const auto bad = [&](const std::string& what, TableOptions options, ErrorCode code, const Words& words,
                       const std::string& table = "new") {
    if (options.time_column.empty()) options.time_column = "time";
    expect(what, code, words, [&] { return db.create_table("t", table, options); });
  };
  const auto tag = [](std::string name, std::string type = "string") {
    return TableOptions{.tags = {{.name = std::move(name), .type = std::move(type)}},
                        .fields = {{.name = "v", .type = "float64"}}};
  };
  const auto field = [](std::string name, std::string type = "float64") {
    return TableOptions{.fields = {{.name = std::move(name), .type = std::move(type)}}};
  };
  bad("there already", field("v"), ErrorCode::kAlreadyExists, {"a table is there already"}, "cpu");
  bad("no name", field("v"), kInvalid, {"table", "empty"}, "");
  bad("no name of a tag", tag(""), kInvalid, {"tag"});
  bad("no name of a field", field(""), kInvalid, {"field"});
  bad("a tag named like the time", tag("time"), kInvalid, {"time"});
  bad("a field named like the time", field("time"), kInvalid, {"time"});
  bad("a tag named like a field", tag("v"), kInvalid, {"v"});
  bad("a reserved tag", tag("__x"), kInvalid, {"__x", "reserved"});
  bad("a reserved field", field("__x"), kInvalid, {"__x", "reserved"});
  bad("NUL in a tag", tag("a\0b"s), kInvalid, {R"("a\x00b")", "NUL"});
  bad("a field that is no UTF-8", field("a\xff"), kInvalid, {R"("a\xff")", "UTF-8"});
  bad("a name too long", field(std::string(256, 'n')), kInvalid, {"want at most 255"});
  bad("a tag of floats", tag("a", "float64"), kInvalid, {"tag a", "float64", "want string"});
  bad("an unknown type", field("v", "decimal"), kInvalid, {"decimal"});
  TableOptions bucket = field("v");
  bucket.bucket = "0s";
  bad("a bucket of no width", bucket, kInvalid, {"0s"});
}

}  // namespace
}  // namespace marigram::db
