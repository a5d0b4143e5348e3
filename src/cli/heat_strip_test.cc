// Without these, a strip could look whole over a gap, which is the one thing it must not do.
#include "cli/heat_strip.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <marigram/coverage.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace marigram::cli {
namespace {

constexpr StripStyle kPlain{.cells = 10, .color = false, .unicode = false};

CoverageReport report_of(std::int64_t from, std::int64_t to,
                         const std::vector<std::pair<std::int64_t, std::int64_t>>& gaps) {
  CoverageReport report;
  report.from = from;
  report.to = to;
  report.expected_buckets = static_cast<std::uint64_t>(to - from);
  report.covered_buckets = report.expected_buckets;
  for (const auto& [begin, end] : gaps) {
    report.gaps.push_back({.from = begin, .to = end, .buckets = static_cast<std::uint64_t>(end - begin)});
    report.covered_buckets -= static_cast<std::uint64_t>(end - begin);
  }
  return report;
}

TEST(HeatStrip, IsFullWithoutGaps) {
  EXPECT_EQ(heat_strip(report_of(0, 100, {}), kPlain), "##########");
}

TEST(HeatStrip, IsEmptyWhereAllIsMissing) {
  EXPECT_EQ(heat_strip(report_of(0, 100, {{20, 50}}), kPlain), "##...#####");
  EXPECT_EQ(heat_strip(report_of(-50, 50, {{-50, 50}}), kPlain), "..........");
}

TEST(HeatStrip, ShowsTheSmallestGap) {
  const std::string strip = heat_strip(report_of(0, 1'000'000, {{123'456, 123'457}}), kPlain);
  EXPECT_EQ(strip, "#+########");
}

TEST(HeatStrip, ShowsTheSmallestPresence) {
  const std::string strip = heat_strip(report_of(0, 1'000'000, {{0, 100'000}, {100'001, 1'000'000}}), kPlain);
  EXPECT_EQ(strip, ".-........");
}

TEST(HeatStrip, TakesTimesAndWideIntegers) {
  CoverageReport report;
  report.from = Instant{0, 0};
  report.to = Instant{10, 0};
  report.expected_buckets = 10;
  report.covered_buckets = 9;
  report.gaps = {{.from = Instant{3, 0}, .to = Instant{4, 0}, .buckets = 1}};
  EXPECT_EQ(heat_strip(report, kPlain), "###.######");
  report.from = std::uint64_t{0};
  report.to = std::numeric_limits<std::uint64_t>::max();
  report.gaps = {};
  EXPECT_EQ(heat_strip(report, kPlain), "##########");
}

TEST(HeatStrip, IsNothingForNothing) {
  EXPECT_EQ(heat_strip(CoverageReport{}, kPlain), "");
}

TEST(HeatStrip, ColorsRunsAndResets) {
  const std::string strip = heat_strip(report_of(0, 10, {{0, 5}}), {.cells = 2, .color = true, .unicode = true});
  EXPECT_EQ(strip, "\x1b[31m·\x1b[32m█\x1b[0m");
}

RC_GTEST_PROP(HeatStrip, IsFullExactlyWhereNothingIsMissing, ()) {
  constexpr std::int64_t kCellBuckets = 7;
  const auto cells = *rc::gen::inRange<std::size_t>(1, 40);
  const auto total = static_cast<std::int64_t>(cells) * kCellBuckets;
  const auto missing =
      *rc::gen::container<std::vector<bool>>(static_cast<std::size_t>(total), rc::gen::arbitrary<bool>());
  std::vector<std::pair<std::int64_t, std::int64_t>> gaps;
  for (std::int64_t i = 0; i < total; ++i) {
    if (!missing[static_cast<std::size_t>(i)]) continue;
    if (!gaps.empty() && gaps.back().second == i) {
      ++gaps.back().second;
    } else {
      gaps.emplace_back(i, i + 1);
    }
  }
  const std::string strip = heat_strip(report_of(0, total, gaps), {.cells = cells, .color = false, .unicode = false});
  RC_ASSERT(strip.size() == cells);
  for (std::size_t cell = 0; cell < cells; ++cell) {
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < kCellBuckets; ++i) {
      count += missing[cell * kCellBuckets + static_cast<std::size_t>(i)] ? 1 : 0;
    }
    RC_ASSERT((strip[cell] == '#') == (count == 0));
    RC_ASSERT((strip[cell] == '.') == (count == kCellBuckets));
  }
}

}  // namespace
}  // namespace marigram::cli
