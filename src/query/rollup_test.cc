// Aggregates of tables that keep rollups, against a model that looks at every row. Without these a level could say what
// rows said that were replaced, deleted or came late, or an interval could be counted by a level and by rows.
#include "query/rollup_refresh.h"

#include "query/test_aggregates.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace marigram::query {
namespace {

class RollupModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(RollupModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  testing::RandomTable table(policy, seed, true);
  std::uint64_t used = 0;
  for (int step = 0; step < 50; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    table.below(8) == 0 ? table.append_long() : table.change();
    const auto moment = table.look();
    if (!moment) continue;
    const testing::Question question = testing::random_question(table, moment->rows);
    QueryStatistics statistics;
    ASSERT_EQ(testing::answer(moment->snapshot, question, statistics), testing::expected(moment->rows, question));
    for (const RollupUse& use : statistics.rollups) used += use.rows;
  }
  RecordProperty("level_rows", std::to_string(used));
  EXPECT_EQ(table.problems(), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RollupModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 13)));

}  // namespace
}  // namespace marigram::query
