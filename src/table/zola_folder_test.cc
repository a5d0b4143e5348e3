// Zola folders as tables: rows of random folders against the rows they were made of, whatever is asked; what a flipped
// bit or a missing end of any file does; what crashes of zola_db leave; what is refused. Without these rows could be
// lost or made up where a folder is damaged, and a folder of someone else could be written to.
#include "table/zola_folder.h"

#include "base/civil_date.h"
#include "segment/test_zola.h"
#include "segment/zola_format.h"
#include "segment/zola_writer.h"
#include "table/definition.h"
#include "table/evolve.h"
#include "table/rewrite.h"
#include "table/test_rows.h"
#include "table/vacuum.h"
#include "table/verify.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace marigram::table::testing {
namespace {

using segment::testing::add_day;
using segment::testing::draw_day;
using segment::testing::kZolaDayUs;
using segment::testing::ZolaFiles;
using segment::testing::ZolaRow;
using segment::testing::ZolaTestColumn;
using ::testing::HasSubstr;

const std::vector<ZolaTestColumn> kColumns = {{"p", true}, {"n", false}};

std::optional<std::uint64_t> bits(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return std::nullopt;
  return array.data()->GetValues<std::uint64_t>(1)[row];
}

/// Rows with the named columns.
Result<std::vector<ZolaRow>> scan_zola(const Engine& engine, ScanRequest request,
                                       const std::vector<std::string>& names) {
  request.columns = {"symbol", "timestamp"};
  request.columns.insert(request.columns.end(), names.begin(), names.end());
  auto stream = scan(engine, request);
  if (!stream) return std::unexpected(stream.error());
  std::vector<ZolaRow> rows;
  while (true) {
    auto batch = stream->rows->next();
    if (!batch) return std::unexpected(batch.error());
    if (!*batch) return rows;
    EXPECT_TRUE((*batch)->ValidateFull().ok());
    for (std::int64_t i = 0; i < (*batch)->num_rows(); ++i) {
      ZolaRow& row = rows.emplace_back();
      row.symbol = static_cast<std::int64_t>(*bits(*(*batch)->column(0), i));
      row.time = static_cast<std::int64_t>(*bits(*(*batch)->column(1), i));
      for (int c = 2; c < (*batch)->num_columns(); ++c) row.cells.push_back(bits(*(*batch)->column(c), i));
    }
  }
}

struct Folder : Fixture {
  explicit Folder(const ZolaFiles& files) { segment::testing::put_all(*store, files); }

  std::unique_ptr<Engine> open() {
    auto engine = Engine::open(environment(), {});
    EXPECT_TRUE(engine) << engine.error().message;
    return engine ? std::move(*engine) : nullptr;
  }
  std::string open_error() {
    const auto engine = Engine::open(environment(), {});
    return engine ? "none" : engine.error().message;
  }
  Result<std::vector<ZolaRow>> rows() {
    auto engine = Engine::open(environment(), {});
    if (!engine) return std::unexpected(engine.error());
    return scan_zola(**engine, {.order = ScanOrder::kTime}, {"p", "n"});
  }
  std::vector<std::string> problems() { return verify(environment(), false).value().problems; }
};

ZolaFiles with_schema(ZolaFiles files = {}) {
  files[".schema"] = segment::testing::zola_schema(kColumns);
  return files;
}

std::string date(std::int64_t day) {
  return *segment::zola_date(day);
}

TEST(ZolaFolder, GivesTheRowsItWasMadeOf) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 40; ++round) {
    ZolaFiles files = with_schema();
    std::vector<ZolaRow> all;
    std::int64_t day = -static_cast<std::int64_t>(random() % 5);
    for (std::uint64_t days = random() % 6; days > 0; --days, day += 1 + static_cast<std::int64_t>(random() % 3)) {
      const auto rows = draw_day(random, day, kColumns, 1 + random() % (round % 8 == 0 ? 30'000 : 200), 9);
      add_day(date(day), kColumns, rows, files);
      all.insert(all.end(), rows.begin(), rows.end());
    }
    Folder folder(files);
    const auto engine = folder.open();
    const TableInfo info = describe(*engine->state());
    EXPECT_EQ(info.rows, all.size());
    EXPECT_EQ(info.version, 0U);
    if (!all.empty()) {
      EXPECT_EQ(info.min,
                IndexValue(Instant::from_units(std::ranges::min(all, {}, &ZolaRow::time).time, TimeUnit::kMicro)));
      EXPECT_EQ(info.max,
                IndexValue(Instant::from_units(std::ranges::max(all, {}, &ZolaRow::time).time, TimeUnit::kMicro)));
    }
    EXPECT_TRUE(folder.problems().empty());
    for (int i = 0; i < 8; ++i) {
      ScanRequest request;
      request.order = i % 2 == 0 ? ScanOrder::kTime : ScanOrder::kSeries;
      const std::int64_t from = static_cast<std::int64_t>(random() % 10 - 5) * kZolaDayUs / 2;
      if (i % 3 > 0) request.from = Instant::from_units(from, TimeUnit::kMicro);
      if (i % 3 > 1) request.to = Instant::from_units(from + kZolaDayUs * 3 / 2, TimeUnit::kMicro);
      const auto symbol = static_cast<std::int64_t>(random() % 9) - 3;
      if (i > 4) request.where = {{.column = "symbol", .values = {std::to_string(symbol), "99"}}};
      request.batch_rows = 1 + random() % 5'000;
      std::vector<ZolaRow> expected = all;
      std::erase_if(expected, [&](const ZolaRow& row) {
        return (request.from && row.time < from) || (request.to && row.time >= from + kZolaDayUs * 3 / 2) ||
               (i > 4 && row.symbol != symbol);
      });
      std::ranges::stable_sort(expected, [&](const ZolaRow& a, const ZolaRow& b) {
        return i % 2 == 0 ? std::pair(a.time, a.symbol) < std::pair(b.time, b.symbol) : a.key() < b.key();
      });
      EXPECT_EQ(scan_zola(*engine, request, {"p", "n"}).value(), expected);
    }
    const auto coverage = *engine->coverage(*engine->state()).value();
    for (const auto& [series, buckets] : coverage) {
      std::set<std::int64_t> days;
      for (const ZolaRow& row : all) {
        if (SeriesKey{row.symbol} == series) days.insert(row.time - (row.time % kZolaDayUs + kZolaDayUs) % kZolaDayUs);
      }
      EXPECT_EQ(buckets.size(), days.size());
    }
  }
}

/// Byte by byte.
TEST(ZolaFolder, WrittenAgainItIsTheSame) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 20; ++round) {
    ZolaFiles files = with_schema();
    for (const std::int64_t day : {-3, 0, 1, 9}) {
      if (random() % 4 > 0) add_day(date(day), kColumns, draw_day(random, day, kColumns, 1 + random() % 300, 9), files);
    }
    Folder folder(files);
    const auto engine = folder.open();
    Fixture other;
    const std::vector<std::string> tags = {"symbol"};
    auto writer = segment::ZolaWriter::create(*other.store, *scan(*engine, {})->schema, "timestamp", tags).value();
    const auto segments = engine->segments(engine->state());
    for (const SegmentPtr& segment : segments->all()) {
      const std::int64_t day = floor_div(std::get<Instant>(segment->min).seconds, kSecondsPerDay);
      const Instant from{.seconds = day * kSecondsPerDay};
      auto rows = scan(*engine, {.from = from,
                                 .to = Instant{.seconds = from.seconds + kSecondsPerDay},
                                 .columns = writer.columns(),
                                 .order = ScanOrder::kSeries,
                                 .batch_rows = 1 + random() % 100});
      std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
      while (const auto batch = rows->rows->next().value()) batches.push_back(batch);
      ASSERT_TRUE(writer.write(day, batches));
    }
    EXPECT_EQ(writer.lost_values(), 0U);
    ZolaFiles written;
    const auto objects = other.store->list("").value();
    for (const io::ObjectInfo& object : objects) {
      written[object.key] = other.store->read(object.key)->bytes;
    }
    EXPECT_TRUE(written == files);
  }
}

// ---- damage ----

ZolaFiles three_days() {
  ZolaFiles files = with_schema();
  std::mt19937_64 random(7);
  for (const std::int64_t day : {-1, 0, 2}) {
    add_day(date(day), kColumns, draw_day(random, day, kColumns, 4 + random() % 5, 3), files);
  }
  return files;
}

std::vector<ZolaRow> naive_rows(const ZolaFiles& files) {
  std::vector<ZolaRow> rows;
  for (const std::int64_t day : {-1, 0, 2}) segment::testing::read_naively(files, date(day), kColumns, rows);
  std::ranges::stable_sort(rows, {}, [](const ZolaRow& row) { return std::pair(row.time, row.symbol); });
  return rows;
}

/// An error, or the rows that the bytes say; and verify finds what can be found.
TEST(ZolaFolder, EveryBitMatters) {
  const ZolaFiles files = three_days();
  const std::vector<ZolaRow> original = naive_rows(files);
  Folder folder(files);
  EXPECT_EQ(folder.rows().value(), original);
  for (const auto& [key, bytes] : files) {
    const bool is_column = key.ends_with(".col");
    const bool is_symbol = key.ends_with("symbol.col");
    const bool is_sidecar = key.ends_with("_values");
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      ZolaFiles damaged = files;
      damaged[key][bit / 8] = static_cast<char>(damaged[key][bit / 8] ^ (1 << bit % 8));
      ASSERT_TRUE(folder.store->put(key, damaged[key]));
      const auto rows = folder.rows();
      const bool is_key = is_sidecar && (bit / 8 < 16 || (bit / 64 - 2) % 4 < 2);
      if (!rows) {
        EXPECT_EQ(rows.error().code, ErrorCode::kCorruption) << rows.error().message;
      } else if (is_symbol || is_sidecar || key == ".schema") {
        EXPECT_EQ(*rows, original) << key << " bit " << bit;
      } else {
        EXPECT_EQ(*rows, naive_rows(damaged)) << key << " bit " << bit;
      }
      const bool must_fail = (is_column && bit < 8 * 24) || is_key || key.ends_with(".parted");
      EXPECT_FALSE(must_fail && rows) << key << " bit " << bit;
      if (!rows || is_symbol || is_sidecar) {
        EXPECT_FALSE(key != ".schema" && folder.problems().empty()) << key << " bit " << bit;
      }
    }
    ASSERT_TRUE(folder.store->put(key, bytes));
  }
}

TEST(ZolaFolder, NoFileMayBeCutShort) {
  const ZolaFiles files = three_days();
  Folder folder(files);
  for (const auto& [key, bytes] : files) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_TRUE(folder.store->put(key, bytes.substr(0, size)));
      const auto rows = folder.rows();
      EXPECT_EQ(rows.has_value(), key == ".schema" && (size == 0 || bytes[size - 1] == '4' || bytes[size - 1] == '\n'))
          << key << " " << size;
      EXPECT_TRUE(!rows || *rows == naive_rows(files)) << key << " " << size;  // its columns are there all the same
    }
    ASSERT_TRUE(folder.store->put(key, bytes));
  }
}

// ---- what is there besides ----

TEST(ZolaFolder, ADayThatWasBeingReplacedIsTheOneBefore) {
  const std::vector<ZolaRow> before = {{1, 5, {1, 2}}};
  const std::vector<ZolaRow> after = {{1, 5, {3, 4}}};
  ZolaFiles files = with_schema();
  add_day("1970.01.01.old", kColumns, before, files);
  add_day("1970.01.01.tmp", kColumns, after, files);
  add_day("1970.01.09.tmp", kColumns, {{1, 8 * kZolaDayUs, {3, 4}}}, files);
  files["notes/read.me"] = "x";
  Folder between(files);
  EXPECT_EQ(between.rows().value(), before);
  EXPECT_TRUE(between.problems().empty());
  add_day("1970.01.01", kColumns, after, files);
  Folder done(files);
  EXPECT_EQ(done.rows().value(), after);
  EXPECT_EQ(done.store->list("")->size(), files.size());  // nothing is deleted

  ZolaFiles half = with_schema();
  add_day("1970.01.01.old", kColumns, before, half);
  half.erase("1970.01.01.old/n.col");
  EXPECT_THAT(Folder(half).open_error(), HasSubstr("cannot read 1970.01.01.old/.first_values"));
  half.erase("1970.01.01.old/timestamp.col");
  EXPECT_EQ(Folder(half).open_error(), "cannot read 1970.01.01.old/timestamp.col: it is missing");
}

TEST(ZolaFolder, ColumnsThatDaysHaveBesides) {
  ZolaFiles files = {{".schema", "p:f64\nm:i64\n"}};
  add_day("1970.01.01", {{"p", true}}, {{1, 5, {1}}}, files);
  add_day("1970.01.02", {{"z", false}, {"b", true}}, {{1, kZolaDayUs, {2, 3}}}, files);
  add_day("1970.01.03", {}, {{1, 2 * kZolaDayUs, {}}}, files);
  Folder folder(files);
  const auto engine = folder.open();
  std::vector<std::string> names;
  for (const model::Column& column : engine->state()->meta->schema->columns) names.push_back(column.name);
  EXPECT_EQ(names, (std::vector<std::string>{"timestamp", "symbol", "p", "m", "b", "z"}));
  const auto none = std::nullopt;
  EXPECT_EQ(scan_zola(*engine, {}, {"p", "m", "b", "z"}).value(),
            (std::vector<ZolaRow>{{1, 5, {1, none, none, none}},
                                  {1, kZolaDayUs, {none, none, 3, 2}},
                                  {1, 2 * kZolaDayUs, {none, none, none, none}}}));
  EXPECT_TRUE(folder.problems().empty());
  add_day("1970.01.04", {{"z", true}}, {{1, 3 * kZolaDayUs, {2}}}, files);
  EXPECT_EQ(Folder(files).open_error(), "cannot read 1970.01.04/z.col: its type is 2, that of z in 1970.01.02 is 1");
  files[".schema"] = "p:i64\n";
  EXPECT_EQ(Folder(files).open_error(), "cannot read 1970.01.01/p.col: its type is 2, that of p in .schema is 1");
}

TEST(ZolaFolder, ADayThatIsReplacedMeanwhile) {
  ZolaFiles files = with_schema();
  add_day("1970.01.01", kColumns, {{1, 5, {1, 2}}}, files);
  Folder folder(files);
  const auto engine = folder.open();
  EXPECT_EQ(scan_zola(*engine, {}, {"n"})->size(), 1U);
  ZolaFiles later;
  add_day("1970.01.01", kColumns, {{1, 5, {3, 4}}, {2, 9, {5, 6}}}, later);
  segment::testing::put_all(*folder.store, later);
  EXPECT_EQ(scan_zola(*engine, {}, {"n"}).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(engine->refresh());
  EXPECT_EQ(scan_zola(*engine, {}, {"n"})->size(), 2U);
  EXPECT_EQ(engine->coverage(*engine->state()).value()->size(), 2U);
}

TEST(ZolaFolder, NothingIsWritten) {
  const ZolaFiles files = three_days();
  Folder folder(files);
  const auto engine = folder.open();
  const auto expect_refused = [](const char* what, const auto& written) {
    ASSERT_FALSE(written) << what;
    EXPECT_EQ(written.error().code, ErrorCode::kPermissionDenied) << what;
    EXPECT_THAT(written.error().message, HasSubstr("marigram import TABLE")) << what;
  };
  const std::vector<std::string> ids = {"1970.01.01/timestamp.col"};
  const std::vector<ColumnInfo> columns = {{.name = "x", .type = "int64"}};
  expect_refused("append", append_rows(*engine, minutes("a", 0, 1)));
  expect_refused("compact", compact(*engine));
  expect_refused("vacuum", vacuum(*engine, 0, false));
  expect_refused("remove", remove_segments(*engine, ids));
  expect_refused("add columns", add_columns(*engine, columns));
  expect_refused("set segments", set_segments(*engine, SegmentFormat::kNative, {}));
  expect_refused("repair", verify(folder.environment(), true));
  expect_refused("create", Engine::create(folder.environment(), Fixture::options()));
  EXPECT_EQ(folder.store->list("")->size(), files.size());
  const auto at = Engine::open(folder.environment(), {.at = std::uint64_t{1}});
  EXPECT_EQ(at.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(at.error().message, HasSubstr("keeps none"));
  TableOptions zola = Fixture::options();
  zola.segments = SegmentFormat::kZola;
  Fixture other;
  EXPECT_EQ(Engine::create(other.environment(), zola).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(set_segments(*other.create(), SegmentFormat::kZola, {}).error().code, ErrorCode::kInvalidInput);
}

TEST(ZolaFolder, WithoutASchemaThereIsNone) {
  ZolaFiles files = three_days();
  files.erase(".schema");
  EXPECT_EQ(Engine::open(Folder(files).environment(), {}).error().code, ErrorCode::kNotFound);
  files[".schema"] = "p:decimal\n";
  EXPECT_THAT(Folder(files).open_error(), HasSubstr("cannot read .schema: line 1"));
  EXPECT_EQ(Folder(with_schema()).rows().value(), std::vector<ZolaRow>());
  EXPECT_EQ(Folder(with_schema()).problems(), std::vector<std::string>());
}

}  // namespace
}  // namespace marigram::table::testing
