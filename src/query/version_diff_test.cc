// Tables with random histories against a model that keeps the rows of each version. Without these a comparison of two
// versions could leave out what changed or make up what did not, going back to a version could give other rows or
// rollups than it had, and vacuum could take what a named version needs.
#include "query/version_diff.h"

#include "query/test_history.h"
#include "table/retention.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::kMinuteUs;
using table::testing::minutes;
using table::testing::Row;
using testing::Change;
using testing::HistoryTable;
using testing::TextRow;

bool is_asked_for(const TextRow& row, const DiffRequest& request) {
  const IndexValue time = testing::at(row.time_us);
  if ((request.begin && time < *request.begin) || (request.end && time >= *request.end)) return false;
  return std::ranges::all_of(request.where, [&](const TagPredicate& predicate) {
    return std::ranges::find(predicate.values, row.cell(predicate.column)) != predicate.values.end();
  });
}

/// By place, rows of one place sorted.
std::vector<Change> expected_changes(const std::vector<TextRow>& from, const std::vector<TextRow>& to,
                                     const DiffRequest& request) {
  std::map<TextRow, std::int64_t> surplus;
  for (const TextRow& row : from) --surplus[row];
  for (const TextRow& row : to) ++surplus[row];
  std::vector<Change> changes;
  for (const auto& [row, count] : surplus) {
    for (std::int64_t i = 0; i < std::abs(count) && is_asked_for(row, request); ++i)
      changes.push_back({row, count > 0});
  }
  std::ranges::sort(changes, {}, [](const Change& change) { return std::tuple(change.place(), change.row); });
  return changes;
}

Result<std::vector<Change>> read_changes(table::ScanStream& stream) {
  std::vector<Change> changes;
  while (true) {
    const auto batch = stream.rows->next();
    if (!batch) return std::unexpected(batch.error());
    if (!*batch) break;
    EXPECT_TRUE((*batch)->ValidateFull().ok());
    EXPECT_TRUE((*batch)->schema()->Equals(*stream.schema));
    EXPECT_GT((*batch)->num_rows(), 0);
    for (std::int64_t row = 0; row < (*batch)->num_rows(); ++row) {
      const auto change = static_cast<const arrow::StringArray&>(*(*batch)->column(0)).GetString(row);
      EXPECT_TRUE(change == "added" || change == "removed") << change;
      changes.push_back({testing::text_row(**batch, row), change == "added"});
    }
  }
  EXPECT_TRUE(std::ranges::is_sorted(changes, {}, &Change::place));
  std::ranges::sort(changes, {}, [](const Change& change) { return std::tuple(change.place(), change.row); });
  return changes;
}

Result<std::vector<Change>> diff(const table::Engine& engine, const DiffRequest& request) {
  auto stream = version_diff(engine, request);
  if (!stream) return std::unexpected(stream.error());
  return read_changes(*stream);
}

DiffRequest random_request(HistoryTable& table) {
  DiffRequest request{.from = table.random_version(), .to = table.random_version()};
  const auto day = [&] { return testing::at(static_cast<std::int64_t>(table.below(12 * 24)) * 60 * kMinuteUs); };
  if (table.below(4) == 0) request.begin = day();
  if (table.below(4) == 0) request.end = day();
  if (request.begin && request.end && *request.begin >= *request.end) request.end.reset();
  if (table.below(4) == 0) request.where = {{.column = "series", .values = {"a", "c"}}};
  return request;
}

class HistoryModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(HistoryModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  HistoryTable table(policy, seed);
  std::uint64_t changes = 0;
  for (int step = 0; step < 60; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    table.change();
    if (HasFatalFailure()) return;
    ASSERT_EQ(table.scan(), table.sorted_rows());
    ASSERT_EQ(table.days(), table.expected_days());
    const DiffRequest request = random_request(table);
    SCOPED_TRACE(fmt::format("from {} to {} of {}", request.from, request.to, table.version()));
    const auto found = diff(table.engine(), request);
    if (!table.is_there(request.from) || !table.is_there(request.to)) {
      ASSERT_FALSE(found);
      ASSERT_EQ(found.error().code, ErrorCode::kNotFound) << found.error().message;
      continue;
    }
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_EQ(*found, expected_changes(table.rows_at(request.from), table.rows_at(request.to), request));
    changes += found->size();
    DiffRequest back = request;
    std::swap(back.from, back.to);
    ASSERT_EQ(diff(table.engine(), back).value(),
              expected_changes(table.rows_at(request.to), table.rows_at(request.from), request));
  }
  RecordProperty("changes", std::to_string(changes));
  EXPECT_EQ(table.problems(), std::vector<std::string>());
}

TEST_P(HistoryModelTest, ARestoredVersionIsWhatItWasAndCanBeUndone) {
  const auto [policy, seed] = GetParam();
  HistoryTable table(policy, seed + 1'000);
  for (int round = 0; round < 8; ++round) {
    for (int step = 0; step < 5; ++step) table.change();
    if (HasFatalFailure()) return;
    const std::uint64_t version = table.random_version();
    if (!table.is_there(version)) continue;
    SCOPED_TRACE(fmt::format("round {}, version {} of {}", round, version, table.version()));
    const std::uint64_t before = table.version();
    for (const std::uint64_t wanted : {version, before}) {
      table.restore(wanted);
      if (HasFatalFailure()) return;
      ASSERT_EQ(table.scan(), table.sorted_rows());
      ASSERT_EQ(table.days(), table.expected_days());
      ASSERT_TRUE(refresh_rollups(table.engine()));
      table.note();
      ASSERT_EQ(table.days(), table.expected_days());
      ASSERT_EQ(diff(table.engine(), {.from = wanted}).value(), std::vector<Change>());
      if (round % 2 == 0) {
        ASSERT_TRUE(table::compact(table.engine()));
        table.note();
        ASSERT_EQ(table.scan(), table.sorted_rows());
      }
    }
    ASSERT_EQ(table.problems(), std::vector<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, HistoryModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 13)));

}  // namespace
}  // namespace marigram::query
