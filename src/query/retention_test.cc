// Tables that keep rows and levels of rollups for a time, and move old ones to a cold disk, over years of a virtual
// clock and through power cuts, against a model that looks at every row there ever was. Without these something could
// go early, stay for ever, be lost to the levels that outlive it, or be counted twice when it comes late.
#include "query/expiry.h"

#include "query/rollup_refresh.h"
#include "query/test_aggregates.h"
#include "table/retention.h"
#include "table/test_disks.h"
#include "table/tiers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::Fixture;
using table::testing::kMinuteUs;
using table::testing::Row;
using testing::at;
using testing::Cells;

constexpr std::int64_t kHourUs = 60 * kMinuteUs;
constexpr std::int64_t kDayUs = 24 * kHourUs;

std::int64_t us_of(Instant time) {
  return time.seconds * 1'000'000 + time.nanos / 1'000;
}

/// A table, and every row of it that some level may tell of.
class World {
 public:
  World(Duplicates policy, std::uint64_t seed) : policy_(policy), random_(seed) {
    TableOptions options = Fixture::options();
    options.duplicates = policy;
    options.segments = SegmentFormat::kNative;
    options.growing = below(4) == 0;
    options.fields = {{.name = "value", .type = "float64"}};
    options.rollups = random_levels({});
    if (below(2) == 0) options.tiers = {.cold_after = fmt::format("{}h", 1 + below(60)), .root = "/cold"};
    auto engine = table::Engine::create(environment(), options);
    EXPECT_TRUE(engine) << engine.error().message;
    engine_ = *std::move(engine);
    set_retention();
  }

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }

  void step() {
    if (below(8) > 0) return change();
    const std::uint64_t version = engine_->state()->version;
    auto& disk = below(4) == 0 ? disks_.cold() : disks_.main();
    disk.arm(io::FaultStore::Mode::kPowerCut, static_cast<std::uint64_t>(below(60)), random_());
    change();
    disks_.restart();
    ++power_cuts_;
    auto engine = table::Engine::open(environment(), {});
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *std::move(engine);
    if (unsure_ && engine_->state()->version > version) std::tie(rows_, gone_) = *unsure_;
    unsure_.reset();
    notice_what_is_gone();
  }

  /// The answers of aggregates are those of the rows that some source tells of.
  void check() {
    if (!engine_->state()->meta->schema) return;
    constexpr std::int64_t kEvery[] = {0,      5 * kMinuteUs, 30 * kMinuteUs, 6 * kHourUs,
                                       kDayUs, 3 * kDayUs,    7 * kMinuteUs};
    testing::Question question{.by_series = below(2) == 0, .every = kEvery[below(7)]};
    question.some_series = below(3) == 0;
    const std::int64_t today = us_of(clock_.now()) / kDayUs;
    if (below(3) == 0) question.from_us = (today - below(60)) * kDayUs;
    if (below(3) == 0) question.to_us = (today - below(10)) * kDayUs;
    if (question.from_us && question.to_us && *question.from_us >= *question.to_us) question.to_us.reset();
    std::vector<Row> told;
    std::ranges::copy_if(gone_, std::back_inserter(told),
                         [&](const Row& row) { return row.time_us >= told_from(row.series, question.every); });
    told.insert(told.end(), rows_.begin(), rows_.end());
    QueryStatistics statistics;
    ASSERT_EQ(testing::answer({*engine_, engine_->state()}, question, statistics), testing::expected(told, question))
        << "every " << question.every << " from " << question.from_us.value_or(-1) << " to "
        << question.to_us.value_or(-1);
  }

  std::vector<std::string> problems() {
    return table::verify(environment(), false).value_or(VerifyReport{.problems = {"cannot verify"}}).problems;
  }
  std::size_t gone() const { return gone_.size(); }
  std::size_t power_cuts() const { return power_cuts_; }
  std::size_t cold_segments() const { return table::tier_usage(*engine_->state())[1].segments; }

 private:
  void change() {
    switch (below(14)) {
      case 0:
        return compact();
      case 1:
        return remove();
      case 2:
        return reopen();
      case 3:
        return below(3) == 0 ? set_retention() : add_levels();
      case 4:
      case 5:
        return refresh();
      case 6:
      case 7:
      case 8:
        return expire();
      case 9:
        return went_well(table::move_cold(*engine_, false, {}));
      default:
        clock_.advance(std::chrono::minutes(below(below(20) == 0 ? 300 * 1440 : 3 * 1440)));
        return append();
    }
  }

  table::Environment environment() { return disks_.environment(clock_, pool_); }

  /// It need not where the power is gone.
  template <typename T>
  void went_well(const Result<T>& result) {
    ASSERT_TRUE(result || disks_.fired()) << result.error().message;
  }

  std::string random_series() { return std::string(1, "abcd"[below(4)]); }

  RollupOptions random_levels(std::set<std::string> chosen) {
    RollupOptions options;
    for (const char* interval : {"5m", "30m", "6h", "1d"}) {
      if (chosen.contains(interval) || below(2) == 0) options.intervals.emplace_back(interval);
    }
    return options;
  }

  /// For some series shorter than for others.
  void set_retention() {
    std::vector<RetentionRule> rules;
    if (below(2) == 0) rules.push_back({.where = {{.column = "series", .values = {"a", "b"}}}, .keep = random_keeps()});
    if (below(4) == 0) rules.push_back({.where = {{.column = "series", .values = {"b", "c"}}}, .keep = random_keeps()});
    if (below(4) > 0) rules.push_back({.keep = random_keeps()});
    went_well(table::set_retention(*engine_, rules));
  }

  std::map<std::string, std::string> random_keeps() {
    std::map<std::string, std::string> keep;
    std::int64_t hours = 1 + below(100);
    keep["rows"] = fmt::format("{}h", hours);
    for (const log::Level& level : engine_->state()->levels) {
      if (below(4) == 0) break;
      hours += below(400);
      keep[level.name] = fmt::format("{}h", hours);
    }
    return keep;
  }

  std::size_t class_of(const std::string& series) const {
    const model::Retention& retention = engine_->state()->retention;
    for (std::size_t number = 0; number < retention.size(); ++number) {
      if (model::series_matches({series}, *engine_->state()->meta->index, retention[number].where)) return number;
    }
    return retention.size();
  }
  std::optional<std::int64_t> horizon(const std::string& series, std::string_view name) const {
    const auto horizon = model::horizon_of(engine_->state()->retention, class_of(series), name);
    return horizon ? std::optional(us_of(*horizon)) : std::nullopt;
  }

  /// From when on a level tells of rows that are gone themselves, in buckets of that width.
  std::int64_t told_from(const std::string& series, std::int64_t every) const {
    std::int64_t from = INT64_MAX;
    for (const log::Level& level : engine_->state()->levels) {
      if (every % (level.interval.fixed / 1'000) != 0) continue;
      from = std::min(from, horizon(series, level.name).value_or(INT64_MIN));
    }
    return from;
  }

  void append() {
    std::vector<Row> rows;
    std::int64_t latest = us_of(clock_.now()) / kMinuteUs;
    if (below(3) == 0) latest -= below(40 * 1440);
    const std::int64_t span = 1 + below(below(2) == 0 ? 20 : 2'000);
    for (std::int64_t i = 1 + below(40); i > 0; --i) {
      const std::string series = random_series();
      const std::int64_t minute = latest - below(span);
      if (policy_ == Duplicates::kReject && !is_free(rows, series, minute)) continue;
      const std::int64_t within = policy_ == Duplicates::kReject ? below(kMinuteUs) : below(2);
      rows.push_back({minute * kMinuteUs + within, series,
                      below(5) == 0 ? std::nullopt : std::optional(static_cast<double>(++value_))});
    }
    if (rows.empty()) return;
    const auto appended = table::testing::append_rows(*engine_, rows);
    went_well(appended);
    rows.insert(rows.begin(), rows_.begin(), rows_.end());
    rows = table::testing::visible_rows(rows, policy_);
    if (appended) {
      rows_ = std::move(rows);
    } else {
      unsure_.emplace(std::move(rows), gone_);
    }
  }
  bool is_free(const std::vector<Row>& more, const std::string& series, std::int64_t minute) const {
    const auto is_there = [&](const Row& row) { return row.series == series && row.time_us / kMinuteUs == minute; };
    return std::ranges::none_of(rows_, is_there) && std::ranges::none_of(more, is_there);
  }

  void compact() { went_well(table::compact(*engine_, {.tiered = below(2) == 0})); }

  void reopen() {
    if (below(2) == 0) went_well(engine_->log().write_checkpoint(*engine_->state()));
    History kept;
    if (below(2) == 0) kept.versions = 1;
    went_well(table::vacuum(*engine_, 0, false, kept));
    auto engine = table::Engine::open(environment(), {});
    went_well(engine);
    if (engine) engine_ = *std::move(engine);
  }

  void add_levels() {
    std::set<std::string> has;
    for (const log::Level& level : engine_->state()->levels) has.insert(level.name);
    went_well(table::set_rollups(*engine_, table::rollup_spec(random_levels(has)).value()));
  }

  /// Whole days mostly, which no level cuts.
  void remove() {
    const std::int64_t today = us_of(clock_.now()) / kDayUs;
    const std::int64_t edge = below(3) == 0 ? kHourUs : 0;
    const std::string series = random_series();
    const std::int64_t from_us = (today - below(30)) * kDayUs + edge;
    const std::int64_t to_us = from_us + (1 + below(5)) * kDayUs;
    const auto removed = table::remove_rows(
        *engine_, {.from = at(from_us), .to = at(to_us), .where = {{.column = "series", .values = {series}}}});
    const auto goes = [&](const Row& row) {
      return row.series == series && row.time_us >= from_us && row.time_us < to_us;
    };
    if (!removed && disks_.fired()) {
      unsure_.emplace(rows_, gone_);
      std::erase_if(unsure_->first, goes);
      std::erase_if(unsure_->second, goes);
      return;
    }
    if (!removed) {
      ASSERT_NE(removed.error().message.find("have expired"), std::string::npos) << removed.error().message;
      ASSERT_LT(from_us, horizon(series, model::kRows).value_or(INT64_MIN));
      return;
    }
    ASSERT_EQ(*removed, static_cast<std::uint64_t>(std::ranges::count_if(rows_, goes)));
    std::erase_if(rows_, goes);
    std::erase_if(gone_, goes);
  }

  void refresh() {
    const auto refreshed = refresh_rollups(*engine_, {.commit_rows = 256U << below(10)});
    went_well(refreshed);
    if (!disks_.fired()) notice_what_is_gone();
  }

  void expire() {
    const auto would = preview_expiry(*engine_, engine_->state()->retention);
    went_well(would);
    const std::size_t before = rows_.size();
    const auto expired = query::expire(*engine_);
    went_well(expired);
    if (disks_.fired()) return;
    notice_what_is_gone();
    EXPECT_LE(before - rows_.size(), would->rows) << "a refresh may have taken late ones";
    EXPECT_LE(expired->rows, would->rows);
    for (const Row& row : rows_) {
      const auto own = class_of(row.series);
      if (own == engine_->state()->retention.size()) continue;
      const auto keep = engine_->state()->retention[own].keep.find(model::kRows);
      if (keep == engine_->state()->retention[own].keep.end()) continue;
      const Instant before_now = model::moment_before(clock_.now(), keep->second);
      const auto aligned =
          table::align_horizon(*engine_->state(), engine_->state()->retention[own], model::kRows, before_now);
      ASSERT_TRUE(aligned);
      EXPECT_GE(row.time_us, us_of(*aligned)) << "it should have gone";
    }
  }

  /// What a scan does not show any more must be older than is kept.
  void notice_what_is_gone() {
    const auto seen = table::testing::scan_rows(*engine_);
    if (!engine_->state()->meta->schema) return;
    ASSERT_TRUE(seen) << seen.error().message;
    std::multiset<Row> left(seen->begin(), seen->end());
    std::vector<Row> stays;
    for (const Row& row : rows_) {
      const auto found = left.find(row);
      if (found != left.end()) {
        left.erase(found);
        stays.push_back(row);
        continue;
      }
      const auto from = horizon(row.series, model::kRows);
      ASSERT_TRUE(from) << "nothing of its kind is gone";
      ASSERT_LT(row.time_us, *from) << "it went early";
      ASSERT_LE(*from, us_of(clock_.now()));
      gone_.push_back(row);
    }
    ASSERT_TRUE(left.empty()) << "rows from nowhere";
    rows_ = std::move(stays);
  }

  ManualClock clock_{{.seconds = 1'700'000'000}};
  ThreadPool pool_{2};
  table::testing::Disks disks_{clock_};
  Duplicates policy_;
  std::mt19937_64 random_;
  std::unique_ptr<table::Engine> engine_;
  std::vector<Row> rows_;  // that are there to be seen, in order of arrival
  std::vector<Row> gone_;  // the others, in the order in which they went
  std::optional<std::pair<std::vector<Row>, std::vector<Row>>> unsure_;  // these, if what failed was done all the same
  std::size_t power_cuts_ = 0;
  std::int64_t value_ = 0;
};

class RetentionModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(RetentionModelTest, LevelsTellOfWhatIsGone) {
  const auto [policy, seed] = GetParam();
  World world(policy, seed);
  for (int step = 0; step < 120 && !HasFatalFailure(); ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    world.step();
    world.check();
  }
  RecordProperty("gone", std::to_string(world.gone()));
  RecordProperty("power_cuts", std::to_string(world.power_cuts()));
  RecordProperty("cold", std::to_string(world.cold_segments()));
  EXPECT_EQ(world.problems(), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RetentionModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 7)));

}  // namespace
}  // namespace marigram::query
