// Without these, the line that an import blames could be another one.
#include "cli/recent_text.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::cli {
namespace {

void add_in_blocks(RecentText& recent, const std::string& text, std::size_t block) {
  for (std::size_t at = 0; at < text.size(); at += block) recent.add(arrow::Buffer::FromString(text.substr(at, block)));
}

std::optional<std::uint64_t> csv_line(const RecentText& recent, std::size_t column, const std::string& value) {
  const auto row = recent.find_csv([&](const std::vector<std::string>& cells) -> std::optional<std::string> {
    if (cells.size() <= column || cells[column] != value) return std::nullopt;
    return cells[column];
  });
  return row ? std::optional(row->line) : std::nullopt;
}

TEST(RecentText, FindsCellsByLine) {
  RecentText recent(1'000);
  add_in_blocks(recent, "a,b\n1,x\n2,\"y\nz\"\n\n3,\"q\"\"\"\r\n", 3);
  EXPECT_EQ(csv_line(recent, 1, "x"), 2U);
  EXPECT_EQ(csv_line(recent, 1, "y\nz"), 3U);
  EXPECT_EQ(csv_line(recent, 0, "3"), 6U);  // after a value over two lines and a blank line
  EXPECT_EQ(csv_line(recent, 1, "q\""), 6U);
  EXPECT_EQ(csv_line(recent, 1, "nowhere"), std::nullopt);
  EXPECT_EQ(csv_line(recent, 9, ""), std::nullopt);
}

TEST(RecentText, TakesALastLineWithoutBreakOnlyAtTheEnd) {
  RecentText recent(1'000);
  add_in_blocks(recent, "a\n1\n2", 100);
  EXPECT_EQ(csv_line(recent, 0, "2"), std::nullopt);
  recent.end();
  EXPECT_EQ(csv_line(recent, 0, "2"), 3U);
}

TEST(RecentText, FindsLines) {
  RecentText recent(1'000);
  add_in_blocks(recent, "{\"a\":1}\n{\"a\":2}\n", 5);
  const auto row = recent.find_line([](std::string_view line) -> std::optional<std::string> {
    return line.find('2') == std::string_view::npos ? std::nullopt : std::optional(std::string(line));
  });
  ASSERT_TRUE(row);
  EXPECT_EQ(row->line, 2U);
  EXPECT_EQ(row->text, "{\"a\":2}");
}

TEST(RecentText, StartsAnewAfterClear) {
  RecentText recent(4);
  add_in_blocks(recent, "1\n2\n3\n4\n5\n6\n", 2);
  recent.clear();
  add_in_blocks(recent, "7\n8\n", 2);
  EXPECT_EQ(csv_line(recent, 0, "8"), 2U);
}

// Whatever the blocks and however much is dropped, a row that is still whole is found under its right line.
RC_GTEST_PROP(RecentText, KeepsLineNumbers, ()) {
  const auto rows = *rc::gen::inRange<int>(1, 60);
  std::string text;
  std::vector<std::uint64_t> lines;
  std::uint64_t line = 1;
  for (int i = 0; i < rows; ++i) {
    lines.push_back(line);
    const bool quoted = *rc::gen::arbitrary<bool>();
    const std::string row = quoted ? fmt::format("k{},\"a\n\"\"b\"\n", i) : fmt::format("k{},c\n", i);
    line += static_cast<std::uint64_t>(std::ranges::count(row, '\n'));
    text += row;
  }
  const auto block = *rc::gen::inRange<std::size_t>(1, 30);
  const auto keep = *rc::gen::inRange<std::size_t>(1, 200);
  RecentText recent(keep);
  add_in_blocks(recent, text, block);
  for (int i = 0; i < rows; ++i) {
    const auto found = csv_line(recent, 0, fmt::format("k{}", i));
    if (found) RC_ASSERT(*found == lines[static_cast<std::size_t>(i)]);
  }
  if (keep >= 12) RC_ASSERT(csv_line(recent, 0, fmt::format("k{}", rows - 1)).has_value() || keep < 24);
}

}  // namespace
}  // namespace marigram::cli
