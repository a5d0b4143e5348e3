// Without these, tables of Japanese or accented names would be crooked, and a cell could carry escape sequences to the
// terminal.
#include "cli/terminal.h"

#include "cli/text_table.h"

#include <gtest/gtest.h>

#include <string>

namespace marigram::cli {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("temp"), 4U);
  EXPECT_EQ(display_width("Zürich"), 6U);
  EXPECT_EQ(display_width("東京"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);  // e and a combining accent
  EXPECT_EQ(display_width("🌊"), 2U);
  EXPECT_EQ(display_width("█▁·"), 3U);
}

TEST(DisplayWidth, CountsEachMalformedByteOnce) {
  EXPECT_EQ(display_width("\xff"), 1U);
  EXPECT_EQ(display_width("a\xc3"), 2U);             // cut in the middle
  EXPECT_EQ(display_width("\xe6\x9d"), 2U);          // two bytes of three
  EXPECT_EQ(display_width("\xc0\x80"), 2U);          // overlong
  EXPECT_EQ(display_width("\xf5\x80\x80\x80"), 4U);  // beyond Unicode
}

TEST(Printable, SpellsOutWhatSteersTerminals) {
  EXPECT_EQ(printable("plain, Zürich, 東京"), "plain, Zürich, 東京");
  EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"), "\\x9b");  // a C1 control: CSI
  EXPECT_EQ(printable(std::string("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xff"), "\\xff");
}

TEST(TextTable, AlignsAndKeepsWidths) {
  TextTable table({{"name"}, {"n", Align::kRight}});
  table.add_row({"東京", "7"});
  table.add_row({"x", "1234"});
  EXPECT_EQ(table.render(false), "name     n\n東京     7\nx     1234\n");
  table.add_row({"y", "5"});
  EXPECT_EQ(table.render(false), "y        5\n");
}

TEST(TextTable, MarksOnlyTheHeader) {
  TextTable table({{"a"}});
  table.add_row({"1"});
  EXPECT_EQ(table.render(true), "\x1b[1ma\x1b[0m\n1\n");
}

TEST(TextTable, KeepsCellsOnTheirLine) {
  TextTable table({{"a\nb"}});
  table.add_row({"1\n2"});
  EXPECT_EQ(table.render(false), "a\\nb\n1\\n2\n");
}

TEST(Numbers, AreGroupedAndPlural) {
  EXPECT_EQ(group_digits(0), "0");
  EXPECT_EQ(group_digits(999), "999");
  EXPECT_EQ(group_digits(1'000), "1,000");
  EXPECT_EQ(group_digits(26'115), "26,115");
  EXPECT_EQ(group_digits(18'446'744'073'709'551'615U), "18,446,744,073,709,551,615");
  EXPECT_EQ(count_of(1, "row"), "1 row");
  EXPECT_EQ(count_of(0, "row"), "0 rows");
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1'023), "1023 B");
  EXPECT_EQ(format_bytes(1'536), "1.5 KiB");
  EXPECT_EQ(format_bytes(18'446'744'073'709'551'615U), "16.0 EiB");
}

}  // namespace
}  // namespace marigram::cli
