// Coverage files under attack: a damaged file must end in an error or a set, never in a crash or in memory without
// bound, and names must carry the reference implementations' hashes.
#include "coverage/bucket_set.h"
#include "coverage/coverage_map.h"
#include "coverage/test_sets.h"
#include "model/index.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::coverage {
namespace {

using testing::HasSubstr;

model::IndexSpec index_with(std::vector<std::string> tags) {
  return {.column = "ts",
          .tags = std::move(tags),
          .kind = model::TimestampIndex{.bucket = {.count = 1, .unit = BucketWidth::Unit::kHour}, .timezone = {}}};
}

/// A form of file and something in it.
struct Sample {
  std::string name;
  Dialect dialect;
  model::IndexSpec index;
  CoverageMap map;

  std::string bytes() const { return encode(dialect, index, map); }
};

/// Small sets that together have every kind of container and an offset table with runs.
BucketSet some_set(bool wide) {
  BucketSet set = test::set_of(test::Model{1, 2, 5});
  set.add_range({.first = 70'000, .last = 70'500});
  if (wide) {
    for (std::uint64_t i = 0; i < 10'000; i += 2) set.add((std::uint64_t{1} << 63) + i);
    for (std::uint64_t i = 0; i < 5; ++i)
      set.add_range({.first = UINT64_MAX - i * 80'000 - 99, .last = UINT64_MAX - i * 80'000});
  }
  return set;
}

std::vector<Sample> samples() {
  std::vector<Sample> all;
  const auto add = [&](std::string name, Dialect dialect, std::vector<std::string> tags, CoverageMap map) {
    all.push_back(
        {.name = std::move(name), .dialect = dialect, .index = index_with(std::move(tags)), .map = std::move(map)});
  };
  add("v1 empty", Dialect::kV1, {}, {});
  add("v1", Dialect::kV1, {}, {{{}, some_set(false)}});
  add("v7 empty", Dialect::kV7, {}, {});
  add("v7", Dialect::kV7, {}, {{{}, some_set(false)}});
  add("v7 with tags empty", Dialect::kV7, {"symbol"}, {});
  add("v7 with one tag", Dialect::kV7, {"symbol"},
      {{{std::string("AAPL")}, some_set(false)}, {{std::string("\xc3\xa9")}, some_set(false)}});
  add("v7 with tags of all types", Dialect::kV7, {"a", "b", "c", "d"},
      {{{std::string(), std::int32_t{-8}, INT64_MIN, UINT64_MAX}, some_set(false)},
       {{std::string("x"), std::int32_t{7}, std::int64_t{0}, std::uint64_t{0}}, BucketSet()}});
  return all;
}

TEST(CoverageFile, ReadsBackWhatItWrote) {
  std::vector<Sample> all = samples();
  all.push_back({.name = "v7 wide", .dialect = Dialect::kV7, .index = index_with({}), .map = {{{}, some_set(true)}}});
  all.push_back({.name = "v7 wide tags",
                 .dialect = Dialect::kV7,
                 .index = index_with({"t"}),
                 .map = {{{std::int64_t{1}}, some_set(true)}}});
  for (const Sample& sample : all) {
    SCOPED_TRACE(sample.name);
    const auto map = decode(sample.dialect, sample.index, sample.bytes());
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_TRUE(*map == sample.map);
    EXPECT_EQ(encode(sample.dialect, sample.index, *map), sample.bytes());
  }
}

TEST(CoverageFile, EveryTruncationIsAnError) {
  for (const Sample& sample : samples()) {
    const std::string bytes = sample.bytes();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const std::string cut = bytes.substr(0, length);  // its own allocation: a read beyond it is seen
      const auto map = decode(sample.dialect, sample.index, cut);
      ASSERT_FALSE(map) << sample.name << " cut to " << length;
      EXPECT_EQ(map.error().code, ErrorCode::kCorruption);
    }
  }
}

TEST(CoverageFile, BytesBehindTheEndAreAnError) {
  for (const Sample& sample : samples()) {
    for (const char extra : {'\0', 'x'}) {
      const auto map = decode(sample.dialect, sample.index, sample.bytes() + extra);
      ASSERT_FALSE(map) << sample.name;
      EXPECT_EQ(map.error().code, ErrorCode::kCorruption);
    }
  }
}

TEST(CoverageFile, EveryFlippedBitIsAnErrorOrASoundSet) {
  for (const Sample& sample : samples()) {
    std::string bytes = sample.bytes();
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      const char flip = static_cast<char>(1 << (bit % 8));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
      if (const auto map = decode(sample.dialect, sample.index, bytes)) {
        // What was accepted must be fit for use: it survives another round.
        const auto again = decode(sample.dialect, sample.index, encode(sample.dialect, sample.index, *map));
        ASSERT_TRUE(again && *again == *map) << sample.name << " bit " << bit;
      } else {
        EXPECT_EQ(map.error().code, ErrorCode::kCorruption);
      }
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
    }
  }
}

// ---- files put together by hand ----

std::string be(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::string text_tag(std::string_view value) {
  return "\1" + be(value.size(), 8) + std::string(value);
}

std::string one_series(const std::string& values, std::uint32_t count) {
  const std::string treemap = test::set_of(test::Model{1}).to_v7_run_optimised_bytes();
  return be(count, 4) + values + be(treemap.size(), 8) + treemap;
}

std::string file_of(std::uint32_t count, const std::string& series) {
  return "TSTECOV2" + be(count, 4) + series;
}

std::string error_of(const std::string& bytes, std::vector<std::string> tags = {"symbol"}) {
  const auto map = decode(Dialect::kV7, index_with(std::move(tags)), bytes);
  if (map) return "no error";
  EXPECT_EQ(map.error().code, ErrorCode::kCorruption);
  return map.error().message;
}

TEST(CoverageFile, SeriesMustAscendEachOnce) {
  const std::string a = one_series(text_tag("a"), 1);
  const std::string b = one_series(text_tag("b"), 1);
  EXPECT_EQ(error_of(file_of(2, a + b)), "no error");
  EXPECT_THAT(error_of(file_of(2, b + a)), HasSubstr("series do not ascend"));
  EXPECT_THAT(error_of(file_of(2, a + a)), HasSubstr("appears twice"));
  EXPECT_THAT(error_of(file_of(2, a + a)), HasSubstr("symbol=a"));
  EXPECT_THAT(error_of(file_of(1, a + b)), HasSubstr("bytes follow the last series"));
}

TEST(CoverageFile, SeriesHaveTheTablesTags) {
  EXPECT_THAT(error_of(file_of(1, one_series("", 0))), HasSubstr("got 0, want 1"));
  EXPECT_THAT(error_of(file_of(1, one_series(text_tag("a") + text_tag("b"), 2))), HasSubstr("got 2, want 1"));
  EXPECT_EQ(error_of(file_of(1, one_series(text_tag("a") + text_tag("b"), 2)), {"x", "y"}), "no error");
  const std::string number = one_series("\2" + be(5, 4), 1);
  EXPECT_THAT(error_of(file_of(2, one_series(text_tag("a"), 1) + number)), HasSubstr("changes its type"));
}

TEST(CoverageFile, TagValuesAreUtf8OfAKnownType) {
  EXPECT_THAT(error_of(file_of(1, one_series(text_tag("\xff"), 1))), HasSubstr("not UTF-8"));
  EXPECT_THAT(error_of(file_of(1, one_series(text_tag("\xed\xa0\x80"), 1))),
              HasSubstr("not UTF-8"));  // a lone surrogate
  EXPECT_THAT(error_of(file_of(1, one_series(std::string("\0", 1) + be(5, 4), 1))),
              HasSubstr("unknown type of tag value"));
  EXPECT_THAT(error_of(file_of(1, one_series("\5" + be(5, 4), 1))), HasSubstr("unknown type of tag value"));
  EXPECT_EQ(error_of(file_of(1, one_series(text_tag(std::string_view("\0", 1)), 1))), "no error");
}

TEST(CoverageFile, DeclaredSizesAreNotBelieved) {
  EXPECT_THAT(error_of(file_of(0xffff'ffff, "")), HasSubstr("cut short"));
  EXPECT_THAT(error_of(file_of(1, be(0xffff'ffff, 4))), HasSubstr("another number of tags"));
  EXPECT_THAT(error_of(file_of(1, be(1, 4) + "\1" + be(UINT64_MAX, 8))), HasSubstr("cut short"));
  EXPECT_THAT(error_of(file_of(1, be(1, 4) + text_tag("a") + be(UINT64_MAX, 8))), HasSubstr("cut short"));
  EXPECT_THAT(error_of("TSTECOV1" + be(0, 4)), HasSubstr("no coverage of many series"));
  // Treemaps that promise 2^32 - 1 parts, or bitmaps that promise 2^31 containers.
  EXPECT_FALSE(BucketSet::from_v7_bytes(std::string("\xff\xff\xff\xff\0\0\0\0", 8)));
  EXPECT_FALSE(BucketSet::from_v7_bytes(std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8)));
  EXPECT_FALSE(BucketSet::from_v1_bytes(std::string("\x3a\x30\0\0\0\0\0\x80", 8)));
  EXPECT_FALSE(BucketSet::from_v1_bytes(std::string("\x3a\x30\0\0\xff\xff\xff\x7f", 8)));
  EXPECT_FALSE(BucketSet::from_v1_bytes(std::string("\x3b\x30\xff\xff", 4)));
}

TEST(CoverageFile, TreemapKeysMustAscend) {
  const std::string low = test::set_of(test::Model{1}).to_v7_bytes().substr(8);
  const std::string high = test::set_of(test::Model{std::uint64_t{5} << 32}).to_v7_bytes().substr(8);
  const std::string two("\2\0\0\0\0\0\0\0", 8);
  EXPECT_TRUE(BucketSet::from_v7_bytes(two + low + high));
  EXPECT_FALSE(BucketSet::from_v7_bytes(two + high + low));
  EXPECT_FALSE(BucketSet::from_v7_bytes(two + low + low));
}

// ---- names ----

TEST(CoverageName, TheHashDependsOnEverythingInIt) {
  const auto hash = [](const model::IndexSpec& index, FileRole role, std::string_view bytes,
                       Dialect dialect = Dialect::kV7) { return file_hash(dialect, index, role, bytes); };
  const auto timestamp = [](std::uint32_t count, BucketWidth::Unit unit, std::optional<std::string> zone) {
    return model::TimestampIndex{.bucket = {.count = count, .unit = unit}, .timezone = std::move(zone)};
  };
  std::vector<std::string> hashes;
  for (const auto& tags : {std::vector<std::string>{}, {"a"}, {"b"}, {"a", "b"}, {"ab"}}) {
    for (const FileRole role : {FileRole::kSegment, FileRole::kTable}) {
      for (const char* column : {"ts", "t"}) {
        for (const model::IndexKind& kind : std::vector<model::IndexKind>{
                 timestamp(1, BucketWidth::Unit::kHour, {}), timestamp(60, BucketWidth::Unit::kMinute, {}),
                 timestamp(1, BucketWidth::Unit::kHour, "UTC"), timestamp(1, BucketWidth::Unit::kHour, ""),
                 model::Int64Index{1}, model::UInt64Index{1}, model::Int64Index{2}}) {
          hashes.push_back(hash({.column = column, .tags = tags, .kind = kind}, role, "bytes"));
        }
      }
    }
  }
  hashes.push_back(hash(index_with({}), FileRole::kSegment, "other bytes"));
  hashes.push_back(hash(index_with({}), FileRole::kSegment, "bytes", Dialect::kV1));
  hashes.push_back(hash(index_with({}), FileRole::kTable, "bytes", Dialect::kV1));
  std::ranges::sort(hashes);
  EXPECT_EQ(std::ranges::adjacent_find(hashes), hashes.end());
  for (const std::string& text : hashes) EXPECT_THAT(text, testing::MatchesRegex("[0-9a-f]{32}"));
  // v1 hashes neither zone nor tags.
  auto zoned = index_with({"a"});
  std::get<model::TimestampIndex>(zoned.kind).timezone = "UTC";
  EXPECT_EQ(hash(zoned, FileRole::kTable, "bytes", Dialect::kV1),
            hash(index_with({}), FileRole::kTable, "bytes", Dialect::kV1));
}

TEST(CoverageName, PathsAndTheHashInThem) {
  const std::string hash = "0123456789abcdef0123456789abcdef";
  const std::string attempt = "1c376929-590e-4e5b-a8ae-e35be3a04205";
  EXPECT_EQ(segment_file_path(Dialect::kV1, hash, attempt), "_coverage/segments/segcov-" + hash + ".roar");
  EXPECT_EQ(segment_file_path(Dialect::kV7, hash, attempt),
            "_coverage/segments/segcov-" + hash + "-" + attempt + ".roar");
  EXPECT_EQ(table_file_path(Dialect::kV1, 12, hash, attempt), "_coverage/table/12-tblcov-" + hash + ".roar");
  EXPECT_EQ(table_file_path(Dialect::kV7, UINT64_MAX, hash, attempt),
            "_coverage/table/18446744073709551615-tblcov-" + hash + "-" + attempt + ".roar");
  for (const Dialect dialect : {Dialect::kV1, Dialect::kV7}) {
    EXPECT_EQ(hash_in_path(segment_file_path(dialect, hash, attempt)), hash);
    EXPECT_EQ(hash_in_path(table_file_path(dialect, 7, hash, attempt)), hash);
  }
  for (const std::string& other :
       {"_coverage/segments/segcov-" + hash, "_coverage/segments/segcov-" + hash + "x.roar",
        "_coverage/segments/segcov-" + hash + "-.roar", "_coverage/segments/segcov-" + hash + "-a/b.roar",
        "_coverage/segments/segcov-" + hash.substr(1) + ".roar",
        "_coverage/segments/segcov-" + hash.substr(1) + "A.roar", "_coverage/segments/tblcov-" + hash + ".roar",
        "_coverage/table/segcov-" + hash + ".roar", "_coverage/table/tblcov-" + hash + ".roar",
        "_coverage/table/-tblcov-" + hash + ".roar", "_coverage/table/1x-tblcov-" + hash + ".roar",
        "segcov-" + hash + ".roar", std::string(), std::string(".roar")}) {
    EXPECT_EQ(hash_in_path(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace marigram::coverage
