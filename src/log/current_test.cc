// The pointer file. Without this a damaged CURRENT could be taken for a version and show the table of another day.
#include "log/current.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace marigram::log {
namespace {

TEST(CurrentTest, RoundTrip) {
  for (const std::uint64_t version : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{10'000'000'000}, UINT64_MAX}) {
    EXPECT_EQ(parse_current(format_current(version)), version);
  }
  EXPECT_EQ(format_current(7), "7\n");
}

TEST(CurrentTest, BlanksAroundAreIgnored) {
  for (const char* text : {"7", "7\n", " \t7\r\n\n", "0000000007"}) EXPECT_EQ(parse_current(text), 7U) << text;
}

TEST(CurrentTest, AnythingElseIsCorruption) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view(" \n"), std::string_view("x"), std::string_view("-1"),
        std::string_view("1.0"), std::string_view("1 2"), std::string_view("7\0\0", 3), std::string_view("0x7"),
        std::string_view("18446744073709551616")}) {
    const auto version = parse_current(text);
    ASSERT_FALSE(version) << text;
    EXPECT_EQ(version.error().code, ErrorCode::kCorruption);
    EXPECT_NE(version.error().message.find("verify --repair"), std::string::npos);
  }
}

}  // namespace
}  // namespace marigram::log
