// Holds the questions about coverage to a bool for each bucket: a ratio, a gap or a window that is wrong by one bucket
// is a wrong answer to the question this database exists to answer.
#include "coverage/queries.h"

#include "coverage/bucket_set.h"
#include "coverage/test_sets.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace marigram::coverage {
namespace {

using test::Random;

/// A stretch of the id line, one bool a bucket.
struct Line {
  std::uint64_t base = 0;
  std::vector<bool> present;
  std::vector<bool> expected;

  std::uint64_t id(std::size_t at) const { return base + at; }
};

Line random_line(Random& random) {
  const std::size_t length = 1 + random.below(300);
  Line line{.base = random.base(), .present = std::vector<bool>(length), .expected = std::vector<bool>(length)};
  line.base = std::min(line.base, UINT64_MAX - (length - 1));
  // Runs rather than coins: windows and gaps must get long.
  const std::uint64_t stay_present = 1 + random.below(20);
  const std::uint64_t stay_expected = 1 + random.below(20);
  bool is_present = random.one_in(2);
  bool is_expected = random.one_in(2);
  for (std::size_t i = 0; i < length; ++i) {
    line.present[i] = is_present;
    line.expected[i] = is_expected;
    if (random.one_in(stay_present)) is_present = !is_present;
    if (random.one_in(stay_expected)) is_expected = !is_expected;
  }
  return line;
}

BucketSet set_of(const Line& line, const std::vector<bool>& bits) {
  BucketSet set;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) set.add(line.id(i));
  }
  return set;
}

/// The answer by looking at each bucket of [first, last].
RangeCoverage naive_cover(const Line& line, const std::vector<bool>& expected, std::size_t first, std::size_t last,
                          std::uint64_t min_gap) {
  RangeCoverage result;
  std::uint64_t length = 0;
  IdRange gap;
  const auto close = [&] {
    result.max_gap = std::max(result.max_gap, length);
    if (length > 0 && length >= min_gap) result.gaps.push_back(gap);
    length = 0;
  };
  for (std::size_t i = first; i <= last; ++i) {
    if (!expected[i]) continue;
    ++result.expected;
    if (line.present[i]) {
      ++result.covered;
      close();
      continue;
    }
    if (length++ == 0) gap.first = line.id(i);
    gap.last = line.id(i);
  }
  close();
  return result;
}

std::optional<IdRange> naive_window(const Line& line, const std::vector<bool>& expected, std::size_t last,
                                    std::uint64_t length) {
  std::uint64_t found = 0;
  std::size_t top = 0;
  for (std::size_t i = last + 1; i-- > 0 && length > 0;) {
    if (!expected[i]) continue;
    if (!line.present[i]) {
      found = 0;
      continue;
    }
    if (found++ == 0) top = i;
    if (found == length) return IdRange{.first = line.id(i), .last = line.id(top)};
  }
  return std::nullopt;
}

void expect_cover(const RangeCoverage& got, const RangeCoverage& want) {
  EXPECT_EQ(got.covered, want.covered);
  EXPECT_EQ(got.expected, want.expected);
  EXPECT_EQ(got.max_gap, want.max_gap);
  EXPECT_EQ(got.gaps, want.gaps);
}

TEST(CoverRange, AgreesWithABoolForEachBucket) {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Line line = random_line(random);
    const BucketSet present = set_of(line, line.present);
    const BucketSet expected = set_of(line, line.expected);
    const std::vector<bool> all(line.present.size(), true);
    const std::size_t a = random.below(all.size());
    const std::size_t b = random.below(all.size());
    const std::size_t first = std::min(a, b);
    const std::size_t last = std::max(a, b);
    const IdRange range{.first = line.id(first), .last = line.id(last)};
    for (const std::uint64_t min_gap : {0, 1, 2, 5, 1'000}) {
      expect_cover(cover_range(present, range, nullptr, min_gap), naive_cover(line, all, first, last, min_gap));
      expect_cover(cover_range(present, range, &expected, min_gap),
                   naive_cover(line, line.expected, first, last, min_gap));
    }
    EXPECT_EQ(expected_in(range, nullptr), last - first + 1);
    EXPECT_EQ(expected_in(range, &expected), naive_cover(line, line.expected, first, last, 1).expected);
  }
}

TEST(LastCoveredWindow, AgreesWithABoolForEachBucket) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Line line = random_line(random);
    const BucketSet present = set_of(line, line.present);
    const BucketSet expected = set_of(line, line.expected);
    const std::vector<bool> all(line.present.size(), true);
    const std::size_t last = random.below(all.size());
    for (const std::uint64_t length : {0, 1, 2, 3, 7, 20, 100}) {
      const auto want = naive_window(line, all, last, length);
      EXPECT_EQ(last_covered_window(present, line.id(last), length, nullptr), want);
      EXPECT_EQ(last_covered_window(present, line.id(last), length, &expected),
                naive_window(line, line.expected, last, length));
      if (want) ++found;
    }
  }
  EXPECT_GT(found, 3'000);  // the test would be empty if it never found one
}

TEST(CoverRange, AWeekendIsNotAGap) {
  BucketSet week;  // Monday to Friday, twice
  week.add_range({.first = 0, .last = 4});
  week.add_range({.first = 7, .last = 11});
  BucketSet present = week;
  present.subtract(test::set_of(test::Model{4, 7}));  // Friday and the Monday after it
  const RangeCoverage cover = cover_range(present, {.first = 0, .last = 13}, &week, 1);
  EXPECT_EQ(cover.expected, 10u);
  EXPECT_EQ(cover.covered, 8u);
  EXPECT_EQ(cover.max_gap, 2u);
  EXPECT_EQ(cover.gaps, (std::vector<IdRange>{{.first = 4, .last = 7}}));
  EXPECT_DOUBLE_EQ(cover.ratio(), 0.8);
  EXPECT_EQ(last_covered_window(week, 13, 6, &week), (IdRange{.first = 4, .last = 11}));
}

TEST(CoverRange, NothingExpectedIsCovered) {
  const BucketSet none;
  const RangeCoverage cover = cover_range(none, {.first = 3, .last = 9}, &none, 1);
  EXPECT_EQ(cover.ratio(), 1.0);
  EXPECT_TRUE(cover.gaps.empty());
  EXPECT_EQ(cover_range(none, {.first = 9, .last = 3}, nullptr, 1).expected, 0u);
}

TEST(CoverRange, WholeIdLine) {
  const IdRange all{.first = 0, .last = UINT64_MAX};
  const BucketSet none;
  const RangeCoverage empty = cover_range(none, all, nullptr, 1);
  EXPECT_EQ(empty.expected, UINT64_MAX);  // as near as 64 bits come to 2^64
  EXPECT_EQ(empty.max_gap, UINT64_MAX);
  EXPECT_EQ(empty.gaps, (std::vector<IdRange>{all}));
  const BucketSet ends = test::set_of(test::Model{0, UINT64_MAX});
  EXPECT_EQ(cover_range(ends, all, nullptr, 1).gaps, (std::vector<IdRange>{{.first = 1, .last = UINT64_MAX - 1}}));
  EXPECT_EQ(last_covered_window(ends, UINT64_MAX, 1, nullptr), (IdRange{.first = UINT64_MAX, .last = UINT64_MAX}));
  EXPECT_EQ(last_covered_window(ends, UINT64_MAX - 1, 1, nullptr), (IdRange{.first = 0, .last = 0}));
  EXPECT_EQ(last_covered_window(ends, UINT64_MAX, 2, nullptr), std::nullopt);
  EXPECT_EQ(last_covered_window(ends, UINT64_MAX, UINT64_MAX, nullptr), std::nullopt);
}

}  // namespace
}  // namespace marigram::coverage
