// The head against a map of rows. Without these tests rows could get lost, doubled or out of order on their way through
// blocks, runs and chunks.
#include "head/head.h"

#include "head/reader.h"
#include "head/test_rows.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marigram::head {
namespace {

using testing::Batch;
using testing::Model;
using testing::Random;

struct HeadTest : ::testing::TestWithParam<std::tuple<EqualTimes, SeriesId>> {
  MemoryBudget budget;
};

void append(Head& head, const std::shared_ptr<const Fields>& fields, Batch batch, bool tidy) {
  const Route route(batch.series);
  ShardSet untidy = 0;
  {
    const Head::Lock lock(head, route.shards());
    untidy = head.append(lock, fields, batch.rows(), route);
  }
  if (tidy) head.tidy(untidy);
}

HeadView view_all(Head& head) {
  const Head::Lock lock(head, kAllShards);
  return head.view(lock);
}

std::vector<SeriesId> series_of(const Model& model) {
  const auto ids = std::views::keys(model);
  return {ids.begin(), ids.end()};
}

void expect_same(const HeadReader& reader, const Model& model, TimeSpan times, EqualTimes equal,
                 const std::vector<std::uint32_t>& chosen) {
  EXPECT_EQ(reader.series(), series_of(model));
  for (const auto& [id, arrived] : model) {
    Rows rows = reader.no_rows();
    ASSERT_TRUE(reader.read(id, times, rows));
    EXPECT_EQ(testing::to_model(rows), testing::expected_rows(arrived, times.min, times.max, equal, chosen)) << id;
  }
}

TEST_P(HeadTest, HoldsWhatArrived) {
  const auto [equal, series] = GetParam();
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Head head(equal, budget);
    Model model;
    std::vector<HeadView> taken;
    auto fields = std::make_shared<Fields>(Fields{testing::all_kinds().front()});
    std::int64_t clock = -1'000;
    for (int step = 0; step < 60; ++step) {
      if (random() % 10 == 0 && fields->size() < testing::all_kinds().size()) {
        auto more = std::make_shared<Fields>(*fields);
        more->push_back(testing::all_kinds()[fields->size()]);
        fields = std::move(more);
      }
      const std::size_t rows = random() % (random() % 5 == 0 ? 3'000 : 100);
      auto known = fields;
      if (random() % 4 == 0) {  // by who has not heard of the newest fields yet
        known = std::make_shared<Fields>(*fields);
        known->resize(1 + random() % fields->size());
      }
      append(head, known, testing::random_batch(random, *known, series, rows, clock, model), random() % 4 != 0);
      if (random() % 30 == 0) {
        const Head::Lock lock(head, kAllShards);
        taken.push_back(head.take(lock));
      }
    }
    std::vector<HeadView> views = taken;
    views.push_back(view_all(head));
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t i = 0; i < fields->size(); ++i) {
      if (random() % 3 != 0) chosen.push_back(i);
    }
    for (const bool all : {false, true}) {
      const HeadReader reader(views, fields, chosen, equal, all ? std::nullopt : std::optional(series_of(model)));
      expect_same(reader, model, {}, equal, chosen);
      const std::int64_t min = clock - static_cast<std::int64_t>(random() % 2'000);
      expect_same(reader, model, {.min = min, .max = min + static_cast<std::int64_t>(random() % 500)}, equal, chosen);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, HeadTest,
                         ::testing::Combine(::testing::Values(EqualTimes::kKeep, EqualTimes::kLast),
                                            ::testing::Values(1U, 7U, 300U)));

TEST_F(HeadTest, AViewDoesNotChange) {
  Random random(1);
  const auto fields = std::make_shared<const Fields>(testing::all_kinds());
  Head head(EqualTimes::kLast, budget);
  Model model;
  std::int64_t clock = 0;
  std::vector<std::pair<HeadView, Model>> seen;
  for (int i = 0; i < 40; ++i) {
    append(head, fields, testing::random_batch(random, *fields, 5, 700, clock, model), true);
    seen.emplace_back(view_all(head), model);
  }
  for (const auto& [view, expected] : seen) {
    expect_same(HeadReader({view}, fields, {0, 2}, EqualTimes::kLast, series_of(expected)), expected, {},
                EqualTimes::kLast, {0, 2});
  }
}

// Some of them, near to one another and far apart, among those that it has and others.
TEST_F(HeadTest, ReadsTheSeriesThatAreWanted) {
  Random random(7);
  const auto fields = std::make_shared<const Fields>(testing::all_kinds());
  Head head(EqualTimes::kLast, budget);
  Model model;
  std::int64_t clock = 0;
  for (int i = 0; i < 30; ++i) {
    append(head, fields, testing::random_batch(random, *fields, 400, 700, clock, model), i % 2 == 0);
  }
  for (int i = 0; i < 50; ++i) {
    std::vector<SeriesId> wanted;
    for (SeriesId id = random() % 100; id < 1'000'000; id += 1 + random() % (id < 500 ? 40 : 300'000)) {
      wanted.push_back(id);
    }
    const HeadReader reader({view_all(head)}, fields, {0, 1}, EqualTimes::kLast, wanted);
    for (const SeriesId id : wanted) {
      Rows rows = reader.no_rows();
      ASSERT_TRUE(reader.read(id, {}, rows));
      EXPECT_EQ(testing::to_model(rows),
                testing::expected_rows(model[id], TimeSpan().min, TimeSpan().max, EqualTimes::kLast, {0, 1}))
          << id;
    }
  }
}

TEST_F(HeadTest, GivesMemoryBack) {
  Random random(2);
  const auto fields = std::make_shared<const Fields>(testing::all_kinds());
  Model model;
  std::int64_t clock = 0;
  {
    Head head(EqualTimes::kKeep, budget);
    append(head, fields, testing::random_batch(random, *fields, 50, 100'000, clock, model), true);
    EXPECT_GT(budget.used(), 100'000U);
    HeadView taken = [&] {
      const Head::Lock lock(head, kAllShards);
      return head.take(lock);
    }();
    EXPECT_GT(budget.used(), 100'000U);
    taken = {};
    EXPECT_EQ(budget.used(), 0U);
    append(head, fields, testing::random_batch(random, *fields, 50, 100, clock, model), true);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST_F(HeadTest, FewSeriesBecomeChunks) {
  const auto fields = std::make_shared<const Fields>(Fields{{.name = "v"}});
  Head head(EqualTimes::kLast, budget);
  constexpr std::size_t kRows = 200'000;
  for (std::size_t i = 0; i < kRows; i += 1'000) {
    Batch batch;
    batch.fields.push_back({.name = "v"});
    for (std::size_t row = i; row < i + 1'000; ++row) {
      batch.series.push_back(static_cast<SeriesId>(row % 4));
      batch.times.push_back(static_cast<std::int64_t>(row));
      batch.fields[0].cells.push_back(0);
    }
    append(head, fields, std::move(batch), true);
  }
  std::size_t compressed = 0;
  for (const ShardView& shard : view_all(head)) {
    for (const auto& chunks : shard.sealed->chunks) compressed += chunks->rows();
  }
  EXPECT_GT(compressed, kRows / 2);
  EXPECT_LT(budget.used(), kRows * 10);  // uncompressed rows take 21 bytes each
}

}  // namespace
}  // namespace marigram::head
