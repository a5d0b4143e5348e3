// A series' name appears in every message about it, and its order decides the order of rows and files.
#include <marigram/series.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace marigram {
namespace {

TEST(Series, Format) {
  EXPECT_EQ(format_tag_value(std::string("AAPL")), "AAPL");
  EXPECT_EQ(format_tag_value(std::string()), "");
  EXPECT_EQ(format_tag_value(INT32_MIN), "-2147483648");
  EXPECT_EQ(format_tag_value(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(format_tag_value(UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(format_series({}, {}), "");
  EXPECT_EQ(format_series({"symbol", "venue"}, {std::string("AAPL"), std::int32_t{7}}), "symbol=AAPL,venue=7");
}

TEST(Series, OrderIsThatOfTheTableFormat) {
  // By type, then by value; strings by bytes, not by signed char; shorter keys first.
  const std::vector<SeriesKey> ordered = {{},
                                          {std::string()},
                                          {std::string("a")},
                                          {std::string("a"), std::int32_t{-1}},
                                          {std::string("a"), std::int32_t{1}},
                                          {std::string("b")},
                                          {std::string("\x7f")},
                                          {std::string("\xc3\xa9")},
                                          {INT32_MIN},
                                          {std::int32_t{0}},
                                          {INT32_MAX},
                                          {INT64_MIN},
                                          {std::int64_t{0}},
                                          {std::uint64_t{0}},
                                          {UINT64_MAX}};
  EXPECT_TRUE(std::ranges::is_sorted(ordered));
  EXPECT_EQ(std::ranges::adjacent_find(ordered), ordered.end());
}

}  // namespace
}  // namespace marigram
