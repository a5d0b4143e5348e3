// Paths come out of files that anyone may have written: one that leaves the table's folder must never be followed. And
// a segment of before would name another series, or none, once its table has got a tag.
#include "model/table_meta.h"

#include <marigram/table.h>

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace marigram::model {
namespace {

using namespace std::literals;

TEST(CanonicalPath, Accepted) {
  for (const std::string_view path :
       {"a"sv, "data/seg.parquet"sv, "data/_managed/append/1c376929-590e-4e5b-a8ae-e35be3a04205.parquet"sv,
        ".hidden/..x"sv, "..."sv, "a b/\xc3\xa9"sv, "1:/x"sv, "data/ab:c"sv, ":"sv, "C"sv}) {
    EXPECT_TRUE(is_canonical_path(path)) << path;
  }
}

TEST(CanonicalPath, Refused) {
  for (const std::string_view path :
       {""sv,          "/"sv,      "/data/x"sv,   "data//x"sv,  "data/x/"sv, "."sv,   ".."sv,    "../x"sv,
        "data/../x"sv, "data/."sv, "data/.."sv,   "./x"sv,      "data\\x"sv, "\\x"sv, "..\\x"sv, "C:"sv,
        "C:/x"sv,      "c:x"sv,    "data/C:/x"sv, "data/z:x"sv, "a\0b"sv,    "\0"sv}) {
    EXPECT_FALSE(is_canonical_path(path)) << path;
  }
}

TEST(SegmentMeta, KeyIsTheIdInV1AndThePathInV7) {
  SegmentMeta segment;
  segment.id = "seg-1";
  segment.path = "data/x.parquet";
  EXPECT_EQ(segment.key(Dialect::kV1), "seg-1");
  EXPECT_EQ(segment.key(Dialect::kV7), "data/x.parquet");
}

TEST(AbsentTags, SeriesLackWhatCameLater) {
  const SegmentLayout none{SeriesKey{std::string(), std::string()}};
  SegmentLayout layout = NoSeries{};
  fill_absent_tags(layout, 0);
  EXPECT_EQ(layout, SegmentLayout(NoSeries{}));
  fill_absent_tags(layout, 2);
  EXPECT_EQ(layout, none);
  fill_absent_tags(layout, 1);  // it has that
  EXPECT_EQ(layout, none);
  layout = SeriesKey{"a"s};
  fill_absent_tags(layout, 2);
  EXPECT_EQ(layout, SegmentLayout(SeriesKey{"a"s, ""s}));
  layout = MixedSeries{};
  fill_absent_tags(layout, 2);
  EXPECT_EQ(layout, SegmentLayout(MixedSeries{}));
}

TEST(AbsentTags, ATableGrowsIfItSaysSo) {
  TableMeta meta;
  EXPECT_FALSE(meta.grows());
  meta.reader_features = {kGrowingFeature};
  EXPECT_TRUE(meta.grows());
}

}  // namespace
}  // namespace marigram::model
