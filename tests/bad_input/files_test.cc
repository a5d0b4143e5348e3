// Files that people hand in: cut, damaged, empty, of another shape. Without these a bad file could crash the program,
// come in by half, or be refused with a message that does not say what is wrong with which file.
#include "subject.h"

#include <marigram/batch.h>

#include <algorithm>
#include <limits>

namespace marigram::bad_input {
namespace {

namespace fs = std::filesystem;

INSTANTIATE_TEST_SUITE_P(Files, BadInput, ::testing::Values(Dialect::kV1, Dialect::kV7),
                         [](const auto& parameter) { return parameter.param == Dialect::kV1 ? "V1" : "V7"; });

TEST_P(BadInput, CutFiles) {
  write_parquet(input("whole.parquet"), *hours(100, 50));
  const std::string whole = bytes_of(input("whole.parquet"));
  for (const std::size_t size : {std::size_t{1}, std::size_t{4}, std::size_t{12}, whole.size() / 3, whole.size() - 9,
                                 whole.size() - 8, whole.size() - 1}) {
    write_bytes(input("cut.parquet"), whole.substr(0, size));
    expect_refused("cut.parquet", ErrorCode::kCorruption, {"cut.parquet"});
  }
}

TEST_P(BadInput, EmptyFileAndNoise) {
  for (const std::string& bytes : {std::string(), std::string(300, '\0'), std::string("time,station\n"),
                                   "PAR1" + std::string(500, '\xFF') + "PAR1"}) {
    write_bytes(input("noise.parquet"), bytes);
    expect_refused("noise.parquet", ErrorCode::kCorruption, {"noise.parquet"});
  }
}

TEST_P(BadInput, FilesThatAreNone) {
  const std::string absent = input("absent.parquet").string();
  expect_run({"append", table().string(), absent}, ErrorCode::kNotFound, {"absent.parquet"}, folder_);
  expect_run({"append", table().string(), folder_.string()}, ErrorCode::kNotFound, {}, folder_);
  expect_run({"append", (folder_ / "nowhere").string(), absent}, ErrorCode::kNotFound, {"nowhere"}, folder_);
  expect_usable(table());
}

/// A flipped bit is refused, or brings rows that the table holds soundly: foreign files have no checksums everywhere.
TEST_P(BadInput, FlippedBits) {
  write_parquet(input("whole.parquet"), *hours(100, 50));
  const std::string whole = bytes_of(input("whole.parquet"));
  const Image before = image_of(table());
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 150) {
    SCOPED_TRACE(at);
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    write_bytes(input("flipped.parquet"), flipped);
    const fs::path trial = copy("flipped");
    auto opened = Table::open(trial.string());
    ASSERT_TRUE(opened);
    const auto appended = opened->append_parquet(input("flipped.parquet").string());
    if (!appended) {
      ++refused;
      EXPECT_NE(appended.error().code, ErrorCode::kInternal) << appended.error().message;
      expect_words(appended.error().message, {"flipped.parquet"});
      EXPECT_TRUE(same_image(before, image_of(trial)));
    } else {
      expect_usable(trial, kHours + appended->rows);
    }
  }
  EXPECT_GT(refused, 10);
}

TEST_P(BadInput, FlippedBitOnTheCommandLine) {
  write_parquet(input("flipped.parquet"), *hours(100, 50));
  std::string bytes = bytes_of(input("flipped.parquet"));
  bytes[bytes.size() - 30] = static_cast<char>(bytes[bytes.size() - 30] ^ 0x55);
  bytes[bytes.size() - 8] = static_cast<char>(bytes[bytes.size() - 8] ^ 0x55);
  write_bytes(input("flipped.parquet"), bytes);
  expect_refused("flipped.parquet", ErrorCode::kCorruption, {"flipped.parquet"});
}

TEST_P(BadInput, NoRows) {
  write_parquet(input("none.parquet"), *hours(100, 0));
  expect_refused("none.parquet", ErrorCode::kInvalidInput, {"none.parquet", "no rows"});
}

TEST_P(BadInput, OtherColumns) {
  const auto rows = hours(100, 3);
  const auto number = arrow::field("count", arrow::int64());
  write_parquet(input("no_time.parquet"), **rows->RemoveColumn(0));
  expect_refused("no_time.parquet", ErrorCode::kSchemaMismatch, {"ts", "missing"});
  write_parquet(input("no_tag.parquet"), **rows->RemoveColumn(1));
  expect_refused("no_tag.parquet", ErrorCode::kSchemaMismatch, {"station", "missing"});
  write_parquet(input("more.parquet"), **rows->AddColumn(4, arrow::field("wind", arrow::float64()), rows->column(2)));
  expect_refused("more.parquet", ErrorCode::kSchemaMismatch, {"wind", "not in the table", "add-column"});
  write_parquet(input("twice.parquet"), **rows->AddColumn(4, number, rows->column(3)));
  expect_refused("twice.parquet", ErrorCode::kSchemaMismatch, {"count", "twice"});
  if (v1()) {
    write_parquet(input("fewer.parquet"), **rows->RemoveColumn(2));
    expect_refused("fewer.parquet", ErrorCode::kSchemaMismatch, {"value", "missing"});
  }
}

TEST_P(BadInput, OtherTypes) {
  const auto rows = hours(100, 3);
  const auto refuse = [&](const std::string& column, const std::shared_ptr<arrow::DataType>& type, const Words& words) {
    const auto field = rows->schema()->GetFieldByName(column)->WithType(type);
    write_parquet(input("types.parquet"), *with_column(rows, column, field, as(*rows, column, type)));
    expect_refused("types.parquet", ErrorCode::kSchemaMismatch, words);
  };
  refuse("value", arrow::utf8(), {"value", "string", "float64"});
  refuse("count", arrow::float64(), {"count", "float64", "int64"});
  refuse("ts", arrow::int64(), {"ts", "int64", "timestamp[us]"});
  refuse("ts", arrow::date32(), {"ts", "date32"});
  refuse("ts", arrow::timestamp(arrow::TimeUnit::MILLI), {"ts", "timestamp[ms]", "timestamp[us]"});
  refuse("station", arrow::binary(), {"station", "binary", "string"});
  refuse("count", arrow::boolean(), {"count", "bool", "int64"});
}

TEST_P(BadInput, NullTimes) {
  const auto rows = hours(100, 4);
  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  ASSERT_TRUE(builder.AppendValues({100 * kHourUs, 101 * kHourUs}).ok() && builder.AppendNulls(2).ok());
  const auto time = arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO));
  write_parquet(input("nulls.parquet"), *with_column(rows, "ts", time, *builder.Finish()));
  const auto code = v1() ? ErrorCode::kSchemaMismatch : ErrorCode::kInvalidInput;
  expect_refused("nulls.parquet", code, {"ts", "null"});
  const auto all = *arrow::MakeArrayOfNull(time->type(), 4);
  write_parquet(input("all.parquet"), *with_column(rows, "ts", time, all));
  expect_refused("all.parquet", code, {"ts", "null"});
}

TEST_P(BadInput, NullTags) {
  const auto rows = hours(100, 4);
  const auto tag = arrow::field("station", arrow::utf8());
  write_parquet(input("nulls.parquet"), *with_column(rows, "station", tag, *arrow::MakeArrayOfNull(tag->type(), 4)));
  expect_refused("nulls.parquet", v1() ? ErrorCode::kSchemaMismatch : ErrorCode::kInvalidInput, {"station", "null"});
}

/// Order is no condition: the table sorts.
TEST_P(BadInput, UnsortedTimesComeBackSorted) {
  const auto rows = hours(100, 5);
  std::vector<std::int64_t> shuffled = {104, 100, 103, 102, 101};
  for (std::int64_t& hour : shuffled) hour *= kHourUs;
  write_parquet(input("rows.parquet"), *with_column(rows, "ts", rows->schema()->field(0), times(shuffled)));
  ASSERT_EQ(run_program({"append", table().string(), input("rows.parquet").string()}).status, 0);
  auto opened = Table::open(table().string());
  ASSERT_TRUE(opened);
  auto stream = read(*opened, {.from = Instant{100 * 3'600}, .columns = {"ts"}});
  ASSERT_TRUE(stream);
  std::vector<std::int64_t> read_times;
  while (auto batch = stream->next().value()) {
    const auto values = batch->values<std::int64_t>(0);
    read_times.insert(read_times.end(), values.begin(), values.end());
  }
  std::ranges::sort(shuffled);
  EXPECT_EQ(read_times, shuffled);
  expect_usable(table(), kHours + 5);
}

/// What the column can hold the table takes, to its ends; beyond that is an error that names the value.
TEST_P(BadInput, TimesAtTheEnds) {
  const auto rows = hours(100, 1);
  const auto milliseconds = arrow::timestamp(arrow::TimeUnit::MILLI);
  const fs::path wide = folder_ / "wide";
  ASSERT_TRUE(Table::create(
      wide.string(),
      {.time_column = "ts", .tags = {{.name = "station", .type = "string"}}, .bucket = "1s", .dialect = dialect()}));
  for (const std::int64_t time : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(),
                                  std::int64_t{253'402'300'800'000}, std::int64_t{-62'167'219'200'001}}) {
    SCOPED_TRACE(time);
    write_parquet(input("far.parquet"), *with_column(rows, "ts", arrow::field("ts", milliseconds, false),
                                                     times({time}, arrow::TimeUnit::MILLI)));
    const Image before = image_of(wide);
    const Ran ran = run_program({"append", wide.string(), input("far.parquet").string()});
    if (ran.status != 0) {
      // v1 counts all time before 1970 as its first bucket.
      EXPECT_TRUE(ran.status == 1 || (v1() && time < 0 && ran.status == 4)) << ran.err;
      expect_words(ran.err, {"marigram: ", "far.parquet"});
      EXPECT_TRUE(same_image(before, image_of(wide)));
    }
    const auto report = Table::verify(wide.string());
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  }
}

TEST_P(BadInput, SeveralSeries) {
  const auto rows = hours(100, 3);
  write_parquet(input("mixed.parquet"),
                *with_column(rows, "station", rows->schema()->field(1), texts({"A", "B", "A"})));
  write_parquet(input("other.parquet"), *hours(100, 3, "B"));
  if (v1()) {
    expect_refused("mixed.parquet", ErrorCode::kInvalidInput, {"one series", "dialect v7"});
    expect_refused("other.parquet", ErrorCode::kInvalidInput, {"station=A", "station=B", "dialect v7"});
    return;
  }
  EXPECT_EQ(run_program({"append", table().string(), input("mixed.parquet").string()}).status, 0);
  expect_usable(table(), kHours + 3);
}

/// Names are no matter: v1 copies files under theirs, and a refused or killed append may have left one.
TEST_P(BadInput, FilesOfTheSameName) {
  for (const std::int64_t first : {100, 200, 300}) {
    const std::string name = std::to_string(first) + "/rows.parquet";
    write_parquet(input(name), *hours(first, 2));
    const Ran ran = run_program({"append", table().string(), input(name).string()});
    EXPECT_EQ(ran.status, 0) << ran.err;
  }
  expect_usable(table(), kHours + 6);
}

TEST_P(BadInput, RowsThatAreThere) {
  write_parquet(input("again.parquet"), *hours(kHours - 1, 5));
  expect_refused("again.parquet", ErrorCode::kOverlap, {"1 bucket is", "[1970-01-01T11:00:00Z, 1970-01-01T12:00:00Z)"});
}

}  // namespace
}  // namespace marigram::bad_input
