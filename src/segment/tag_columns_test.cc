// Where the tags of sorted rows change, against a comparison of each row with the one before. Strings are compared many
// at a time; without this test a change could go unnoticed: of a length alone, at the end of what is compared together,
// in the rows of a slice.
#include "segment/tag_columns.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace marigram::segment {
namespace {

class TagChangesTest : public ::testing::Test {
 protected:
  std::size_t below(std::size_t n) { return random_() % n; }

  /// Runs of some strings, most of one length: so that neighbours differ in a length, in a byte, or not at all.
  std::vector<std::string> draw() {
    const std::vector<std::string> some = {"", "a", "aa", "ab", "ba", "aab", "abab", "S001", "S002", "S0021"};
    const bool few = below(2) == 0;
    std::vector<std::string> rows;
    for (std::size_t run = 1 + below(20); run > 0; --run) {
      const std::string& value = some[few ? 7 + below(2) : below(some.size())];
      rows.insert(rows.end(), 1 + below(below(2) == 0 ? 3 : 200), value);
    }
    return rows;
  }

  std::mt19937_64 random_{3};
};

TEST_F(TagChangesTest, EqualAComparisonOfNeighbours) {
  for (int round = 0; round < 2'000; ++round) {
    const std::vector<std::string> rows = draw();
    arrow::StringBuilder builder;
    ASSERT_TRUE(builder.AppendValues(rows).ok());
    const auto whole = *builder.Finish();
    const std::size_t begin = below(rows.size());
    const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("tag", arrow::utf8())}),
                                                static_cast<std::int64_t>(rows.size() - begin),
                                                {whole->Slice(static_cast<std::int64_t>(begin))});
    const auto tags = TagColumns::make(*batch, {"tag"}, "cannot read", 0);
    ASSERT_TRUE(tags);
    std::vector<std::uint8_t> starts(rows.size() - begin);
    tags->mark_changes(starts);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const bool changes = i == 0 || rows[begin + i] != rows[begin + i - 1];
      ASSERT_EQ(starts[i], changes ? 1 : 0) << "round " << round << ", row " << i << " of " << starts.size();
    }
  }
}

}  // namespace
}  // namespace marigram::segment
