// As-of joins give the same from native segments, which are searched where they lie, as from Parquet, whose rows are
// scanned: columns of every type, with and without nulls, some of which older segments lack; series of many pages, also
// with equal times across them, and many series in one; tags of two types; unsigned indexes. Without these a probe
// could take a value of another row, page or series.
#include "query/asof.h"

#include "table/evolve.h"
#include "table/rewrite.h"
#include "table/test_rows.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::Fixture;

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr std::int64_t kDaySeconds = 86'400;

/// Draws batches of rows and probes.
class Draw {
 public:
  explicit Draw(std::uint64_t seed, bool is_unsigned) : random_(seed), is_unsigned_(is_unsigned) {}

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }

  BatchPtr rows(bool with_late_columns) {
    std::vector<Key> keys;
    add_series(keys, "large", 20'000, 40'000);
    add_series(keys, "tied", 12'000, 3);  // more equal times than a page has rows
    for (int i = 0; i < 300; ++i) add_series(keys, fmt::format("small{}", i), 1 + below(40), kDaySeconds);
    std::ranges::shuffle(keys, random_);
    auto columns = key_columns(keys);
    const auto add = [&](const char* name, const std::shared_ptr<arrow::DataType>& type, int nulls_of_10) {
      columns.emplace_back(name, values(type, static_cast<std::int64_t>(keys.size()), nulls_of_10));
    };
    add("d", arrow::float64(), 0);
    add("dn", arrow::float64(), 3);
    add("f", arrow::float32(), 1);
    add("i", arrow::int32(), 0);
    add("n", arrow::int64(), 5);
    add("u", arrow::uint64(), 0);
    add("b", arrow::boolean(), 2);
    add("s", arrow::utf8(), 2);
    add("z", arrow::float64(), 10);  // never a value
    if (with_late_columns) add("late", arrow::int64(), 4);
    return to_batch(columns);
  }

  BatchPtr probes() {
    std::vector<Key> keys;
    for (int i = 0; i < 400; ++i) {
      const std::int64_t which = below(4);
      const std::string name = which == 0 ? "large" : which == 1 ? "tied" : fmt::format("small{}", below(330));
      keys.push_back({.time = begin() + below(which < 2 ? 41'000 : 4 * kDaySeconds), .name = name, .number = below(3)});
    }
    auto columns = key_columns(keys);
    columns.emplace_back("probe", values(arrow::int64(), 400, 0));
    return to_batch(columns);
  }

 private:
  struct Key {
    std::int64_t time = 0;
    std::string name = {};
    std::int64_t number = 0;
  };
  using Columns = std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>;

  std::int64_t begin() const { return is_unsigned_ ? 1'000'000 : -kDaySeconds; }

  void add_series(std::vector<Key>& keys, const std::string& name, std::int64_t count, std::int64_t seconds) {
    const std::int64_t day = seconds > 3 ? below(3) * kDaySeconds : 0;
    const std::int64_t number = below(2);
    for (std::int64_t i = 0; i < count; ++i) {
      keys.push_back({.time = begin() + day + below(seconds), .name = name, .number = number});
    }
  }

  Columns key_columns(const std::vector<Key>& keys) {
    arrow::Int64Builder times;
    arrow::StringBuilder names;
    arrow::Int64Builder numbers;
    for (const Key& key : keys) {
      const std::int64_t time = is_unsigned_ ? key.time : key.time * 1'000;
      EXPECT_TRUE(times.Append(time).ok() && names.Append(key.name).ok() && numbers.Append(key.number).ok());
    }
    const auto type = is_unsigned_ ? arrow::uint64() : arrow::timestamp(arrow::TimeUnit::MILLI);
    return {{"ts", *(*times.Finish())->View(type)}, {"name", *names.Finish()}, {"number", *numbers.Finish()}};
  }

  std::shared_ptr<arrow::Array> values(const std::shared_ptr<arrow::DataType>& type, std::int64_t count,
                                       int nulls_of_10) {
    const auto builder = *arrow::MakeBuilder(type);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t value = below(1'000'000);
      if (below(10) < nulls_of_10) {
        EXPECT_TRUE(builder->AppendNull().ok());
      } else if (type->id() == arrow::Type::STRING) {
        EXPECT_TRUE(builder
                        ->AppendScalar(arrow::StringScalar(std::string(static_cast<std::size_t>(value % 20), 'x') +
                                                           std::to_string(value)))
                        .ok());
      } else if (type->id() == arrow::Type::BOOL) {
        EXPECT_TRUE(builder->AppendScalar(arrow::BooleanScalar(value % 2 == 0)).ok());
      } else {
        EXPECT_TRUE(builder->AppendScalar(**arrow::Int64Scalar(value).CastTo(type)).ok());
      }
    }
    return *builder->Finish();
  }

  static BatchPtr to_batch(const Columns& columns) {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const auto& [name, array] : columns) {
      fields.push_back(arrow::field(name, array->type()));
      arrays.push_back(array);
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), arrays.front()->length(), arrays);
  }

  std::mt19937_64 random_;
  bool is_unsigned_;
};

std::unique_ptr<table::Engine> make_table(Fixture& fixture, bool is_unsigned, const std::vector<BatchPtr>& appends,
                                          SegmentFormat format, const std::string& compression) {
  TableOptions options;
  options.time_column = "ts";
  options.tags = {{.name = "name", .type = "string"}, {.name = "number", .type = "int64"}};
  options.duplicates = Duplicates::kAll;
  options.segments = format;
  options.compression = compression;
  if (is_unsigned) {
    options.index_type = "uint64";
    options.index_step = 60;
  } else {
    options.bucket = "1m";
  }
  auto engine = fixture.create(options);
  for (std::size_t i = 0; i < appends.size(); ++i) {
    if (i == 1) {
      EXPECT_TRUE(table::add_columns(*engine, std::vector<ColumnInfo>{{.name = "late", .type = "int64"}}));
    }
    const auto reader = *arrow::RecordBatchReader::Make({appends[i]});
    const auto appended = table::append(*engine, *reader);
    EXPECT_TRUE(appended) << appended.error().message;
  }
  return engine;
}

AsofRequest draw_request(Draw& draw) {
  AsofRequest request;
  request.direction = static_cast<AsofDirection>(draw.below(3));
  request.allow_exact_matches = draw.below(3) > 0;
  if (draw.below(2) == 0) request.tolerance = static_cast<std::uint64_t>(draw.below(5'000)) * 1'000'000'000U;
  std::vector<std::string> all = {"d", "dn", "f", "i", "n", "u", "b", "s", "z", "late"};
  if (draw.below(2) == 0) {
    for (std::int64_t i = 1 + draw.below(4); i > 0; --i) {
      const auto chosen = all.begin() + draw.below(static_cast<std::int64_t>(all.size()));
      request.columns.push_back(*chosen);
      all.erase(chosen);
    }
    all = request.columns;
  }
  for (const std::string& column : all) {
    if (draw.below(4) == 0) request.ignore_nulls.push_back(column);
  }
  return request;
}

class AsofFormatsTest : public ::testing::TestWithParam<std::tuple<std::string, bool>> {};

TEST_P(AsofFormatsTest, NativeSegmentsAnswerAsParquet) {
  const auto [compression, is_unsigned] = GetParam();
  Draw draw(is_unsigned ? 2 : 1, is_unsigned);
  const std::vector<BatchPtr> appends = {draw.rows(false), draw.rows(true)};
  Fixture native_fixture;
  Fixture parquet_fixture;
  const auto native = make_table(native_fixture, is_unsigned, appends, SegmentFormat::kNative, compression);
  const auto parquet = make_table(parquet_fixture, is_unsigned, appends, SegmentFormat::kParquet, "auto");
  for (int round = 0; round < 24; ++round) {
    SCOPED_TRACE(round);
    // As they come, segments of the two appends overlap, and are scanned; compacted, each is searched by itself.
    if (round == 8) {
      ASSERT_TRUE(table::compact(*native));
    }
    const AsofRequest request = draw_request(draw);
    const BatchPtr probes = draw.probes();
    const auto expected = asof_join({*parquet, parquet->state()}, probes->schema(), {probes}, request);
    const auto got = asof_join({*native, native->state()}, probes->schema(), {probes}, request);
    ASSERT_TRUE(expected) << expected.error().message;
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->statistics.windows_scanned == 0, round >= 8);
    ASSERT_TRUE(got->batches.front()->ValidateFull().ok());
    ASSERT_TRUE(got->batches.front()->Equals(*expected->batches.front(), false,
                                             arrow::EqualOptions::Defaults().nans_equal(true)))
        << got->batches.front()->ToString() << "\nwant\n"
        << expected->batches.front()->ToString();
  }
}

INSTANTIATE_TEST_SUITE_P(Compressions, AsofFormatsTest,
                         ::testing::Combine(::testing::Values("none", "auto", "none:lz4"), ::testing::Bool()));

}  // namespace
}  // namespace marigram::query
