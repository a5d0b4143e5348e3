// As-of joins in zola folders against a look at every row: ties, nulls, symbols that come and go over several days,
// days that are missing. Without this a probe could meet a row of another symbol or day, or none where there is one.
#include "query/asof.h"
#include "segment/test_zola.h"
#include "segment/zola_format.h"
#include "table/test_rows.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using segment::testing::kZolaDayUs;
using segment::testing::ZolaRow;
using segment::testing::ZolaTestColumn;

const std::vector<ZolaTestColumn> kColumns = {{"p", true}, {"n", false}};

struct Probe {
  std::int64_t symbol = 0;
  std::int64_t time = 0;
};

/// What a probe meets: the time of the row, and values of p and n.
using Answer = std::vector<std::optional<std::uint64_t>>;

std::optional<ZolaRow> naive(const std::vector<ZolaRow>& rows, const Probe& probe, bool backward, bool strict,
                             std::optional<std::size_t> valid) {
  std::optional<ZolaRow> met;
  for (const ZolaRow& row : rows) {  // by (symbol, time), as they lie
    if (row.symbol != probe.symbol || (valid && !row.cells[*valid]) || (strict && row.time == probe.time)) continue;
    if (backward ? row.time <= probe.time : row.time >= probe.time) {
      if (backward || !met) met = row;
    }
  }
  return met;
}

std::vector<Answer> expected(const std::vector<ZolaRow>& rows, const std::vector<Probe>& probes,
                             const AsofRequest& request) {
  const bool backward = request.direction == AsofDirection::kBackward;
  const bool strict = !request.allow_exact_matches;
  std::vector<Answer> answers;
  for (const Probe& probe : probes) {
    const auto any = naive(rows, probe, backward, strict, std::nullopt);
    const auto n = request.ignore_nulls.empty() ? any : naive(rows, probe, backward, strict, 1);
    answers.push_back({any ? std::optional(static_cast<std::uint64_t>(any->time)) : std::nullopt,
                       any ? any->cells[0] : std::nullopt, n ? n->cells[1] : std::nullopt});
  }
  return answers;
}

std::vector<Answer> joined(const table::Engine& engine, const std::vector<Probe>& probes, const AsofRequest& request,
                           AsofStatistics& statistics) {
  arrow::Int64Builder symbols;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  for (const Probe& probe : probes) EXPECT_TRUE(symbols.Append(probe.symbol).ok() && times.Append(probe.time).ok());
  const auto schema = arrow::schema({arrow::field("symbol", arrow::int64()), arrow::field("timestamp", times.type())});
  const auto batch =
      arrow::RecordBatch::Make(schema, static_cast<std::int64_t>(probes.size()), {*symbols.Finish(), *times.Finish()});
  const auto result = asof_join({engine, engine.state()}, schema, {batch}, request);
  EXPECT_TRUE(result) << result.error().message;
  statistics = result->statistics;
  std::vector<Answer> answers(probes.size());
  for (const char* name : {"matched_time", "p", "n"}) {
    const auto& column = *result->batches.front()->GetColumnByName(name);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      answers[i].push_back(column.IsNull(row) ? std::nullopt
                                              : std::optional(column.data()->GetValues<std::uint64_t>(1)[row]));
    }
  }
  return answers;
}

TEST(AsofZola, MeetsWhatALookAtEveryRowMeets) {
  std::mt19937_64 random(3);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  for (int round = 0; round < 60; ++round) {
    table::testing::Fixture fixture;
    segment::testing::ZolaFiles files = {{".schema", segment::testing::zola_schema(kColumns)}};
    std::vector<ZolaRow> all;
    std::int64_t day = -2;
    for (std::int64_t days = 1 + below(6); days > 0; --days, day += 1 + below(4)) {
      const auto count = static_cast<std::size_t>(1 + below(round % 20 == 0 ? 25'000 : 60));
      const auto rows = segment::testing::draw_day(random, day, kColumns, count, round % 3 == 0 ? 60 : 6);
      segment::testing::add_day(*segment::zola_date(day), kColumns, rows, files);
      all.insert(all.end(), rows.begin(), rows.end());
    }
    segment::testing::put_all(*fixture.store, files);
    const auto engine = table::Engine::open(fixture.environment(), {});
    ASSERT_TRUE(engine) << engine.error().message;
    std::ranges::stable_sort(all, {}, &ZolaRow::key);
    std::vector<Probe> probes;
    for (int i = 0; i < 60; ++i) {
      const ZolaRow& near = all[static_cast<std::size_t>(below(std::ssize(all)))];
      probes.push_back(i % 2 == 0 ? Probe{near.symbol, near.time + below(3) - 1}
                                  : Probe{below(62) - 21, below(30 * kZolaDayUs) - 5 * kZolaDayUs});
    }
    for (const bool backward : {true, false}) {
      AsofRequest request;
      request.direction = backward ? AsofDirection::kBackward : AsofDirection::kForward;
      request.allow_exact_matches = round % 2 == 0;
      if (round % 4 > 1) request.ignore_nulls = {"n"};
      AsofStatistics statistics;
      EXPECT_EQ(joined(**engine, probes, request, statistics), expected(all, probes, request)) << round;
      EXPECT_EQ(statistics.windows_scanned, 0U) << "rows are searched where they lie";
    }
  }
}

}  // namespace
}  // namespace marigram::query
