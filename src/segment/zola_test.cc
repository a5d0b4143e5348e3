// Zola folders: text forms, what a day's files may not say, and days written by us against docs/format/zola.md. Without
// these a damaged day could be read on through, as zola_db does, and zola_db could not read what we write.
#include "io/local_store.h"
#include "io/temporary_folder.h"
#include "segment/native_stream.h"
#include "segment/test_rows.h"
#include "segment/test_zola.h"
#include "segment/zola_day.h"
#include "segment/zola_reader.h"
#include "segment/zola_writer.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace marigram::segment::testing {
namespace {

using ::testing::HasSubstr;

const std::vector<ZolaTestColumn> kColumns = {{"p", true}, {"n", false}};

/// Day 0 with three rows of symbol 1 and one of symbol 2.
ZolaFiles small_day() {
  ZolaFiles files;
  add_day("1970.01.01", kColumns,
          {{1, 5, {std::bit_cast<std::uint64_t>(1.5), 7}}, {1, 6, {std::nullopt, 8}}, {1, 6, {0, 0}}, {2, 0, {1, 2}}},
          files);
  return files;
}

std::string error_of(const ZolaFiles& files) {
  const auto store = make_store();
  put_all(*store, files);
  const auto day = open_zola_day(*store, "1970.01.01");
  if (day) return "none";
  EXPECT_EQ(day.error().code, ErrorCode::kCorruption);
  return day.error().message;
}

TEST(ZolaFormat, Schema) {
  const auto parse = [](const std::string& text) { return parse_zola_schema(text, "cannot read .schema"); };
  EXPECT_EQ(value_of(parse("b:f64\n\n  a b:i64 \r\n# c:d\n")),
            (std::vector<ZolaColumn>{{"b", ValueKind::kFloat64}, {"a b", ValueKind::kInt64}}));
  EXPECT_TRUE(value_of(parse("")).empty());
  EXPECT_EQ(value_of(parse("x:i64")).size(), 1U);
  EXPECT_EQ(format_zola_schema(value_of(parse("b:f64\na:i64"))), "b:f64\na:i64\n");
  for (const char* bad : {"x", "x:", ":i64", "x:i32", "x: i64", "x:i64:f64", "symbol:i64", "timestamp:i64", "a/b:i64",
                          "x:i64\nx:f64\n"}) {
    const auto parsed = parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorruption);
    EXPECT_THAT(parsed.error().message, HasSubstr("cannot read .schema: line "));
  }
}

TEST(ZolaFormat, Dates) {
  for (const auto& [date, day] : {std::pair("1970.01.01", 0), {"1969.12.31", -1}, {"2024.02.29", 19'782}}) {
    EXPECT_EQ(parse_zola_date(date), day);
    EXPECT_EQ(zola_date(day), date);
  }
  for (std::int64_t day = -719'528; day <= 2'932'896; day += 97) EXPECT_EQ(parse_zola_date(*zola_date(day)), day);
  EXPECT_EQ(zola_date(-719'529), std::nullopt);
  EXPECT_EQ(zola_date(2'932'897), std::nullopt);
  for (const char* bad : {"2023.02.29", "2024.13.01", "2024.00.01", "2024.01.00", "2024-01-01", "2024.1.1", "", "x"}) {
    EXPECT_EQ(parse_zola_date(bad), std::nullopt) << bad;
  }
}

TEST(ZolaDay, SaysWhatItsFilesSay) {
  const auto store = make_store();
  put_all(*store, small_day());
  const ZolaDay day = value_of(open_zola_day(*store, "1970.01.01"));
  EXPECT_EQ(day.rows, 4U);
  ASSERT_EQ(day.parts.size(), 2U);
  EXPECT_EQ(day.parts[1].symbol, 2);
  EXPECT_EQ(day.parts[1].begin, 3U);
  ASSERT_EQ(day.values.size(), 2U);
  EXPECT_EQ(day.values[0].name, "n");  // by name
  EXPECT_EQ(day.values[0].cells[1], 8U);
  const auto reader = value_of(ZolaReader::open(*store, "1970.01.01/timestamp.col"));
  EXPECT_TRUE(reader->check_claims({}));
  const auto& file = *reader->file();
  EXPECT_EQ(value_of(file.view(1, 0)).cells, static_cast<const ZolaFile&>(file).day().values[0].cells) << "in place";
  const BlockView p = value_of(file.view(2, 0));
  EXPECT_TRUE(p.is_null(1));
  EXPECT_EQ(static_cast<const std::uint64_t*>(p.cells)[1], 0U);
  EXPECT_EQ(std::bit_cast<double>(static_cast<const std::uint64_t*>(p.cells)[0]), 1.5);
  const PageTimes times = file.page_times(0);
  EXPECT_EQ((std::vector{times.first, times.last, times.least, times.largest}),
            (std::vector<std::uint64_t>{5, 0, 0, 6}));
}

TEST(ZolaDay, DamageIsNamed) {
  struct Case {
    const char* file;
    std::size_t at;
    std::string bytes;
    const char* cause;
  };
  const auto word = [](std::uint64_t number) {
    std::string bytes;
    put(number, bytes);
    return bytes;
  };
  const std::vector<Case> cases = {
      {"p.col", 0, "x", "it begins with"},
      {"p.col", 4, "\x63", "its version is 99, want 1"},
      {"p.col", 8, "\x03", "its type is 3"},
      {"p.col", 12, "\x01", "its reserved word"},
      {"p.col", 16, word(3), "its header says 3 rows, and 32 bytes follow"},
      {"timestamp.col", 8, "\x02", "its type is f64"},
      {"symbol.col", 8, "\x02", "its type is f64"},
      {"timestamp.col", 24, word(7), "times of symbol 1 go from 7 to 6"},
      {"timestamp.col", 48, word(kZolaDayUs), "want them to ascend within the day"},
      {"timestamp.col", 48, word(1ULL << 63U), "want them to ascend within the day"},
      {".parted", 0, word(2), "symbol 2 follows 2"},
      {".parted", 8, word(1), "symbol 1 has rows 1 to 3"},
      {".parted", 16, word(2), "symbol 2 has rows 3 to 4, want some from 2"},
      {".parted", 40, word(5), "symbol 2 has rows 3 to 5"},
      {".parted", 40, word(3), "symbol 2 has rows 3 to 3"},
      {".first_values", 0, "x", "it does not begin as such a file"},
      {".last_values", 12, "x", "it does not begin as such a file"},
      {".first_values", 4, "\x03", "it says 3 symbols"},
      {".first_values", 8, "\x01", "it says 2 symbols and 1 columns"},
      {".first_values", 24, word(6), "symbol 1 is said to have time 6"},
      {".last_values", 16, word(0), "symbol 0 is said to have time 6"},
  };
  for (const Case& c : cases) {
    ZolaFiles files = small_day();
    files.at(std::string("1970.01.01/") + c.file).replace(c.at, c.bytes.size(), c.bytes);
    const std::string error = error_of(files);
    EXPECT_THAT(error, HasSubstr(std::string("cannot read 1970.01.01/") + c.file + ": "));
    EXPECT_THAT(error, HasSubstr(c.cause));
  }
}

TEST(ZolaDay, FilesThatAreMissing) {
  for (const auto& [key, bytes] : small_day()) {
    ZolaFiles files = small_day();
    files.erase(key);
    const bool may_be_missing = key.ends_with("_values");
    EXPECT_EQ(error_of(files) == "none", may_be_missing) << key;
    if (!may_be_missing && !key.ends_with("p.col") && !key.ends_with("n.col")) {
      EXPECT_EQ(error_of(files), "cannot read " + key + ": it is missing");
    }
  }
  ZolaFiles shorter = small_day();
  shorter["1970.01.01/q.col"] = column_bytes(true, {1, 2, 3});
  EXPECT_THAT(error_of(shorter), HasSubstr("it has 3 rows, 1970.01.01/timestamp.col has 4"));
  ZolaFiles more = small_day();
  more["1970.01.01/notes.txt"] = "";
  more["1970.01.01/more/p.col"] = "";
  EXPECT_EQ(error_of(more), "none");
  const auto store = make_store();
  EXPECT_EQ(open_zola_day(*store, "1970.01.01").error().code, ErrorCode::kNotFound);
  ZolaFiles no_date;
  add_day("1970.13.01", {}, {{1, 5, {}}}, no_date);
  put_all(*store, no_date);
  EXPECT_THAT(open_zola_day(*store, "1970.13.01").error().message, HasSubstr("there is no such date"));
}

/// What only a look at every row finds.
TEST(ZolaDay, ClaimsAreChecked) {
  const auto claims = [](const std::string& file, std::size_t at, std::uint64_t cell) {
    ZolaFiles files = small_day();
    std::string bytes;
    put(cell, bytes);
    files.at("1970.01.01/" + file).replace(at, sizeof(cell), bytes);
    const auto store = make_store();
    put_all(*store, files);
    const Status checked = value_of(ZolaReader::open(*store, "1970.01.01/timestamp.col"))->check_claims({});
    return checked ? "none" : checked.error().message;
  };
  EXPECT_EQ(claims("symbol.col", 32, 2), "cannot read 1970.01.01/symbol.col: row 1 is of symbol 2, .parted says 1");
  EXPECT_THAT(claims(".first_values", 32, 9),
              HasSubstr(".first_values: its values of symbol 1 are not those of row 0"));
  EXPECT_THAT(claims(".last_values", 40, 9), HasSubstr("are not those of row 2"));
  EXPECT_THAT(claims("n.col", 24, 9), HasSubstr(".first_values"));
  EXPECT_EQ(claims("n.col", 32, 9), "none");  // neither first nor last
}

/// A page in the middle of which times go back is no page, though the symbol's first and last are in order.
TEST(ZolaReader, TimesAscendInEveryPage) {
  std::vector<ZolaRow> rows;
  for (std::int64_t i = 0; i < 40'000; ++i) rows.push_back({i / 30'000, i % 30'000, {}});
  ZolaFiles files;
  add_day("1970.01.01", {}, rows, files);
  for (const std::size_t damaged : {std::size_t{8'191}, std::size_t{8'192}, std::size_t{24'000}}) {
    for (const std::uint64_t time : {std::uint64_t{0}, std::uint64_t{29'999}, std::uint64_t{30'000}}) {
      ZolaFiles changed = files;
      std::string bytes;
      put(time, bytes);
      changed.at("1970.01.01/timestamp.col").replace(24 + 8 * damaged, 8, bytes);
      const auto store = make_store();
      put_all(*store, changed);
      const auto reader = value_of(ZolaReader::open(*store, "1970.01.01/timestamp.col"));
      std::vector<bool> sound;
      for (std::size_t page = 0; page < 5; ++page) sound.push_back(reader->file()->view(0, page).has_value());
      EXPECT_GT(std::ranges::count(sound, false), 0) << damaged << " " << time;
      EXPECT_TRUE(sound[4]);
    }
  }
}

/// By another process, while it is open.
TEST(ZolaReader, ADayThatIsCutShort) {
  std::vector<ZolaRow> rows;
  for (std::int64_t i = 0; i < 20'000; ++i) rows.push_back({1, i, {7}});
  ZolaFiles files;
  add_day("1970.01.01", {{"n", false}}, rows, files);
  for (const std::string name : {"timestamp", "symbol", "n"}) {
    const io::TemporaryFolder folder;
    const auto store = value_of(io::make_local_store(folder.path()));
    put_all(*store, files);
    const auto reader = value_of(ZolaReader::open(*store, "1970.01.01/timestamp.col"));
    const auto all = value_of(reader->read_all());
    std::filesystem::resize_file(folder.path() / "1970.01.01" / (name + ".col"), 5'000);
    std::shared_ptr<arrow::RecordBatch> batch;
    EXPECT_FALSE(all->ReadNext(&batch).ok()) << name;
    EXPECT_FALSE(reader->check_claims({})) << name;
    EXPECT_FALSE(ZolaReader::open(*store, "1970.01.01/timestamp.col")) << name;
  }
}

// ---- written ----

TEST(ZolaWriter, WritesTheFormat) {
  const auto schema =
      arrow::schema({arrow::field("t", arrow::timestamp(arrow::TimeUnit::MILLI)), arrow::field("id", arrow::int32()),
                     arrow::field("p", arrow::float32()), arrow::field("n", arrow::int64())});
  const auto store = make_store();
  ZolaWriter writer = value_of(ZolaWriter::create(*store, *schema, "t", std::vector<std::string>{"id"}));
  EXPECT_EQ(writer.columns(), (std::vector<std::string>{"id", "t", "p", "n"}));
  arrow::Int32Builder id;
  arrow::TimestampBuilder t(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  arrow::FloatBuilder p;
  arrow::Int64Builder n;
  EXPECT_TRUE(id.AppendValues({-2, 1, 1}).ok() && t.AppendValues({-1, -86'400'000, -5}).ok());
  EXPECT_TRUE(p.AppendValues({1.5F, NAN, 0.F}, std::vector<bool>{true, true, false}).ok());
  EXPECT_TRUE(n.AppendValues({INT64_MIN, 0, 4}, std::vector<bool>{true, false, true}).ok());
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({schema->field(1), schema->field(0), schema->field(2), schema->field(3)}),
                               3, {*id.Finish(), *t.Finish(), *p.Finish(), *n.Finish()});
  expect_ok(writer.write(-1, {batch->Slice(0, 1), batch->Slice(1)}));
  EXPECT_EQ(writer.lost_values(), 2U);
  const std::vector<ZolaTestColumn> columns = {{"p", true}, {"n", false}};
  ZolaFiles expected = {{".schema", zola_schema(columns)}};
  const std::uint64_t nan = std::bit_cast<std::uint64_t>(static_cast<double>(NAN));
  add_day("1969.12.31", columns,
          {{-2, -1'000, {std::bit_cast<std::uint64_t>(1.5), 1ULL << 63U}},
           {1, -kZolaDayUs, {nan, 1ULL << 63U}},
           {1, -5'000, {nan, 4}}},
          expected);
  const auto listed = value_of(store->list(""));
  EXPECT_EQ(listed.size(), expected.size());
  for (const auto& [key, bytes] : expected) EXPECT_EQ(value_of(store->read(key)).bytes, bytes) << key;
}

TEST(ZolaWriter, RefusesWhatDoesNotFit) {
  const auto time = arrow::field("t", arrow::timestamp(arrow::TimeUnit::NANO));
  const auto tag = arrow::field("id", arrow::uint64());
  const auto error = [&](const arrow::FieldVector& fields, const std::vector<std::string>& tags) {
    const auto store = make_store();
    const auto writer = ZolaWriter::create(*store, arrow::Schema(fields), "t", tags);
    return writer ? "none" : writer.error().message;
  };
  EXPECT_EQ(error({time, tag}, {"id"}), "none");
  EXPECT_THAT(error({time}, {}), HasSubstr("it has one tag, the table has 0"));
  EXPECT_THAT(error({time, tag, arrow::field("b", arrow::int64())}, {"id", "b"}), HasSubstr("the table has 2"));
  EXPECT_THAT(error({time, arrow::field("id", arrow::utf8())}, {"id"}), HasSubstr("tag id is of type string"));
  EXPECT_THAT(error({arrow::field("t", arrow::int64()), tag}, {"id"}), HasSubstr("column t is of type int64"));
  EXPECT_THAT(error({time, tag, arrow::field("s", arrow::utf8())}, {"id"}), HasSubstr("s is of type string"));
  EXPECT_THAT(error({time, tag, arrow::field("symbol", arrow::int64())}, {"id"}), HasSubstr("can be called symbol"));

  const auto write = [&](std::int64_t day, std::int64_t ns, std::uint64_t id) {
    const auto store = make_store();
    auto writer = value_of(ZolaWriter::create(*store, arrow::Schema({time, tag}), "t", std::vector<std::string>{"id"}));
    arrow::TimestampBuilder times(time->type(), arrow::default_memory_pool());
    arrow::UInt64Builder ids;
    EXPECT_TRUE(times.Append(ns).ok() && ids.Append(id).ok());
    const auto batch = arrow::RecordBatch::Make(arrow::schema({tag, time}), 1, {*ids.Finish(), *times.Finish()});
    const Status written = writer.write(day, {batch});
    return written ? "none" : written.error().message;
  };
  EXPECT_EQ(write(0, 1'000, 5), "none");
  EXPECT_THAT(write(0, 1'001, 5), HasSubstr("column t: "));
  EXPECT_THAT(write(0, 1'000, UINT64_MAX), HasSubstr("column id: "));
  EXPECT_THAT(write(2'932'897, 1'000, 5), HasSubstr("years 0000 to 9999"));
}

}  // namespace
}  // namespace marigram::segment::testing
