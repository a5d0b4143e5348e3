// Compaction and deletion by rows: what they do to segments, beside other writers, and when storage fails. Without
// these a compaction could lose rows, undo a later write, or never come to an end; a deletion could be half done. That
// rows and their order are right is for duplicates_test.cc.
#include "table/rewrite.h"
#include "table/delete.h"

#include "io/test_fault_modes.h"
#include "log/store_wrapper.h"
#include "table/append.h"
#include "table/test_rows.h"
#include "table/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <ranges>
#include <set>

namespace marigram::table::testing {
namespace {

using Mode = io::FaultStore::Mode;

constexpr std::int64_t kDayMinutes = 1440;

TableOptions options_of(Duplicates policy) {
  TableOptions options = Fixture::options();
  options.duplicates = policy;
  return options;
}

std::set<std::string> paths(const Engine& engine) {
  std::set<std::string> paths;
  for (const auto& [key, segment] : engine.state()->segments) paths.insert(segment->path);
  return paths;
}

RowSelection series_b() {
  return {.where = {{.column = "series", .values = {"b"}}}};
}

Instant minute(std::int64_t number) {
  return Instant::from_units(number * kMinuteUs, TimeUnit::kMicro);
}

/// Counted from the day before 1970.
std::int64_t day_of(const IndexValue& time) {
  return (std::get<Instant>(time).seconds + 86'400) / 86'400;
}

void expect_sound(const Environment& environment) {
  const auto report = verify(environment, false);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->problems.empty()) << fmt::format("{}", fmt::join(report->problems, "\n"));
}

/// So many rows of one series, a microsecond apart.
std::vector<Row> dense(std::int64_t first_us, std::int64_t count, double value) {
  std::vector<Row> rows;
  rows.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) rows.push_back({first_us + i, "a", value});
  return rows;
}

TEST(CompactTest, SmallNeighboursBecomeOneSegmentAPartition) {
  for (const Duplicates policy : {Duplicates::kReject, Duplicates::kLast, Duplicates::kAll}) {
    Fixture fixture;
    const auto engine = fixture.create(options_of(policy));
    std::vector<Row> model;
    for (const std::int64_t day : {-1, 0, 1}) {
      for (std::int64_t i = 0; i < 5; ++i) {
        const std::vector<Row> rows = minutes(i % 2 == 0 ? "a" : "b", day * kDayMinutes + i * 20, 20);
        ASSERT_TRUE(append_rows(*engine, rows));
        model.insert(model.end(), rows.begin(), rows.end());
      }
    }
    const std::uint64_t before = engine->state()->version;
    const auto report = compact(*engine);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->version, before + 1);
    EXPECT_EQ(report->before.segments, 15U);
    EXPECT_EQ(report->after.segments, 3U);
    EXPECT_EQ(report->before.rows, 300U);
    EXPECT_EQ(report->after.rows, 300U);
    EXPECT_LT(report->after.bytes, report->before.bytes);
    for (const auto& [key, segment] : engine->state()->segments) {
      EXPECT_EQ(day_of(segment->min), day_of(segment->max));
    }
    EXPECT_EQ(scan_rows(*engine), expected_rows(model, {}));
    EXPECT_EQ(compact(*engine)->version, before + 1) << "there is nothing left to do";
    const auto past = Engine::open(fixture.environment(), {.at = before});
    ASSERT_TRUE(past);
    EXPECT_EQ(scan_rows(**past), expected_rows(model, {}));
    expect_sound(fixture.environment());
  }
}

TEST(CompactTest, LargeSegmentsStayAsTheyAre) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kAll));
  ASSERT_TRUE(append_rows(*engine, dense(1'000, NewSegments().good, 1)));
  const std::set<std::string> large = paths(*engine);
  for (const std::int64_t at : {0, 10, 1'000'000, 1'000'010}) ASSERT_TRUE(append_rows(*engine, dense(at, 5, 2)));
  const auto report = compact(*engine);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->before.segments, 4U);
  EXPECT_EQ(report->after.segments, 2U) << "one before the large one, one after it";
  EXPECT_TRUE(std::ranges::includes(paths(*engine), large));
}

TEST(CompactTest, RowsThatWereReplacedGo) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kLast));
  ASSERT_TRUE(append_rows(*engine, dense(0, 300'000, 1)));
  ASSERT_TRUE(append_rows(*engine, dense(100'000, 300'000, 2)));
  std::vector<Row> expected = dense(0, 100'000, 1);
  std::ranges::copy(dense(100'000, 300'000, 2), std::back_inserter(expected));
  const auto report = compact(*engine);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->before.rows, 600'000U);
  EXPECT_EQ(report->after.rows, 400'000U);
  EXPECT_TRUE(scan_rows(*engine) == expected);
  EXPECT_EQ(compact(*engine)->before.segments, 0U);
}

TEST(CompactTest, ManySeriesThatTickTogetherAreMergedOnce) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kLast));
  std::vector<Row> rows;
  for (std::int64_t series = 0; series < 30'000; ++series) {
    for (const std::int64_t tick : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
      rows.push_back({tick, fmt::format("{}", series), 1.0});
  }
  ASSERT_TRUE(append_rows(*engine, rows));
  ASSERT_TRUE(append_rows(*engine, dense(0, 10, 2)));
  EXPECT_GT(compact(*engine)->before.segments, 2U);
  EXPECT_EQ(compact(*engine)->before.segments, 0U) << "segments that meet in one time are not merged for ever";
}

/// A writer of another process acts when the handle of ours reads CURRENT for the n-th time.
class BesideAnother {
 public:
  BesideAnother(Duplicates policy, const std::vector<std::vector<Row>>& appends) {
    other_ = fixture_.create(options_of(policy));
    for (const auto& rows : appends) EXPECT_TRUE(append_rows(*other_, rows));
    Environment environment = fixture_.environment();
    environment.store = store_ = std::make_shared<log::StoreWrapper>(fixture_.store);
    engine_ = *Engine::open(environment, {});
  }

  Engine& engine() { return *engine_; }
  void act_at(int read, const std::function<void(Engine& other)>& act) {
    store_->on_read = [this, act, left = read](std::string_view key) mutable {
      if (!key.ends_with("CURRENT") || left-- != 0) return;
      acted_ = true;
      act(*other_);
    };
  }
  bool acted() const { return acted_; }
  void expect_rows(const std::vector<Row>& rows) {
    expect_sound(fixture_.environment());
    EXPECT_EQ(scan_rows(**Engine::open(fixture_.environment(), {})), rows);
  }

 private:
  Fixture fixture_;
  std::unique_ptr<Engine> other_;
  std::shared_ptr<log::StoreWrapper> store_;
  std::unique_ptr<Engine> engine_;
  bool acted_ = false;
};

/// Runs `act` beside each of the reads of the operation; returns how often it struck.
template <typename Run>
int at_each_read(Run run) {
  int read = 0;
  while (run(read)) {
    if (::testing::Test::HasFatalFailure()) break;
    ++read;
  }
  return read;
}

TEST(CompactTest, RowsThatAnotherAppendsMeanwhileStayOnTop) {
  const int reads = at_each_read([](int read) {
    BesideAnother two(Duplicates::kLast, {minutes("a", 0, 9), dense(0, 1, 5), dense(kMinuteUs, 1, 6)});
    two.act_at(read, [](Engine& other) { ASSERT_TRUE(append_rows(other, dense(kMinuteUs, 1, 7))); });
    EXPECT_TRUE(compact(two.engine()));
    std::vector<Row> expected = minutes("a", 0, 9);
    expected[0].value = 5;
    expected[1].value = two.acted() ? 7 : 6;
    two.expect_rows(expected);
    return two.acted();
  });
  EXPECT_GE(reads, 2);
}

TEST(CompactTest, SegmentsThatAnotherTakesAwayMeanwhileAreNotBroughtBack) {
  const int reads = at_each_read([](int read) {
    BesideAnother two(Duplicates::kAll, {minutes("a", 0, 3), minutes("b", 0, 3), minutes("a", 1, 3)});
    two.act_at(read, [](Engine& other) { ASSERT_EQ(remove_rows(other, series_b()), 3U); });
    EXPECT_TRUE(compact(two.engine()));
    std::vector<Row> expected = minutes("a", 0, 3);
    std::ranges::copy(minutes("a", 1, 3), std::back_inserter(expected));
    if (!two.acted()) std::ranges::copy(minutes("b", 0, 3), std::back_inserter(expected));
    two.expect_rows(expected_rows(expected, {}));
    return two.acted();
  });
  EXPECT_GE(reads, 2);
}

TEST(RemoveRowsTest, BesideACompaction) {
  const int reads = at_each_read([](int read) {
    BesideAnother two(Duplicates::kAll, {minutes("a", 0, 3), minutes("b", 0, 3), minutes("a", 1, 3)});
    two.act_at(read, [](Engine& other) { ASSERT_TRUE(compact(other)); });
    EXPECT_EQ(remove_rows(two.engine(), series_b()), 3U);
    std::vector<Row> expected = minutes("a", 0, 3);
    std::ranges::copy(minutes("a", 1, 3), std::back_inserter(expected));
    two.expect_rows(expected_rows(expected, {}));
    return two.acted();
  });
  EXPECT_GE(reads, 2);
}

TEST(RemoveRowsTest, OnlySegmentsWithSuchRowsAreTouchedAndTheirBucketsAreFree) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 4)));
  ASSERT_TRUE(append_rows(*engine, minutes("b", 0, 4)));
  ASSERT_TRUE(append_rows(*engine, minutes("a", 10, 4)));
  const std::set<std::string> before = paths(*engine);
  const std::uint64_t version = engine->state()->version;
  EXPECT_EQ(remove_rows(*engine, {.from = minute(4), .to = minute(10)}), 0U);
  EXPECT_EQ(engine->state()->version, version) << "there was nothing to commit";
  EXPECT_EQ(
      remove_rows(*engine, {.from = minute(2), .to = minute(11), .where = {{.column = "series", .values = {"a"}}}}),
      3U);
  EXPECT_EQ(remove_rows(*engine, series_b()), 4U);
  EXPECT_EQ(engine->state()->segments.size(), 2U);
  for (const std::string& path : paths(*engine)) EXPECT_FALSE(before.contains(path));
  EXPECT_EQ(append_rows(*engine, minutes("a", 1, 1)).error().code, ErrorCode::kOverlap);
  EXPECT_TRUE(append_rows(*engine, minutes("a", 2, 9)));
  EXPECT_TRUE(append_rows(*engine, minutes("b", 0, 4)));
  expect_sound(fixture.environment());
}

TEST(RemoveRowsTest, BadRequestsAreRefusedByName) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 4)));
  const auto code = [&](const RowSelection& choice) { return remove_rows(*engine, choice).error().code; };
  EXPECT_EQ(code({.from = minute(1), .to = minute(1)}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.from = std::int64_t{1}}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.where = {{.column = "value", .values = {"1"}}}}), ErrorCode::kNotFound);
  EXPECT_EQ(remove_rows(*engine, {}), 4U);
  EXPECT_TRUE(engine->state()->segments.empty());
  EXPECT_EQ(compact(*engine)->before.segments, 0U);
}

TEST(RewriteTest, TablesOfOneSeries) {
  Fixture fixture;
  TableOptions options = Fixture::options();
  options.dialect = Dialect::kV1;
  const auto engine = fixture.create(options);
  for (const std::int64_t at : {0, 10, 20}) ASSERT_TRUE(append_rows(*engine, minutes("a", at, 4)));
  const auto report = compact(*engine);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->after.segments, 1U);
  EXPECT_EQ(remove_rows(*engine, {.from = minute(11), .to = minute(21)}), 4U);
  std::vector<Row> expected = minutes("a", 0, 4);
  expected.push_back(minutes("a", 10, 4)[0]);
  std::ranges::copy(minutes("a", 20, 4) | std::views::drop(1), std::back_inserter(expected));
  EXPECT_EQ(scan_rows(*engine), expected);
  expect_sound(fixture.environment());
}

/// What a run told its caller of a deletion.
enum class Removal { kNotBegun, kTried, kDone };

Removal run_workload(Engine& engine) {
  if (!compact(engine)) return Removal::kNotBegun;
  if (!remove_rows(engine, series_b())) return Removal::kTried;
  (void)compact(engine);
  return Removal::kDone;
}

class RewriteFaultTest : public ::testing::TestWithParam<Mode> {
 protected:
  /// Overlapping segments in two partitions; what a scan gives with and without series b.
  void prepare(Engine& engine) {
    std::vector<Row> rows;
    const auto add = [&](std::vector<Row> more) {
      ASSERT_TRUE(append_rows(engine, more));
      rows.insert(rows.end(), more.begin(), more.end());
    };
    for (const std::int64_t day : {0, 1}) {
      add(minutes("a", day * kDayMinutes, 4));
      add(minutes("b", day * kDayMinutes + 1, 4));
      add(minutes("a", day * kDayMinutes + 2, 4));
    }
    before_ = expected_rows(visible_rows(rows, Duplicates::kLast), {});
    std::erase_if(rows, [](const Row& row) { return row.series == "b"; });
    after_ = expected_rows(visible_rows(rows, Duplicates::kLast), {});
  }

  void check_survivor(const Environment& environment, Removal removal) {
    auto engine = Engine::open(environment, {});
    ASSERT_TRUE(engine) << engine.error().message;
    const auto rows = scan_rows(**engine);
    ASSERT_TRUE(rows) << rows.error().message;
    if (removal != Removal::kDone && *rows == before_) {
      ASSERT_TRUE(remove_rows(**engine, series_b()));
    } else {
      ASSERT_NE(removal, Removal::kNotBegun);
      ASSERT_EQ(*rows, after_);
    }
    ASSERT_TRUE(compact(**engine));
    ASSERT_EQ(scan_rows(**engine), after_);
    expect_sound(environment);
  }

  std::vector<Row> before_;
  std::vector<Row> after_;
};

TEST_P(RewriteFaultTest, EveryStorageCall) {
  ManualClock clock;
  ThreadPool pool(1);
  const bool power_cut = GetParam() == Mode::kPowerCut;
  std::uint64_t tried = 0;
  for (bool fired = true; fired; ++tried) {
    fired = false;
    for (std::uint64_t seed = 1; seed <= (power_cut ? 4 : 1); ++seed) {
      SCOPED_TRACE(fmt::format("point {} seed {}", tried, seed));
      auto store = io::make_fault_store(clock);
      auto engine = Engine::create({.store = store, .clock = &clock, .pool = &pool}, options_of(Duplicates::kLast));
      ASSERT_TRUE(engine);
      ASSERT_NO_FATAL_FAILURE(prepare(**engine));
      store->arm(GetParam(), tried, seed);
      const Removal removal = run_workload(**engine);
      fired = store->fired();
      engine->reset();
      const auto survivor = power_cut && fired ? store->restart() : store->reopen();
      ASSERT_NO_FATAL_FAILURE(check_survivor({.store = survivor, .clock = &clock, .pool = &pool}, removal));
    }
  }
  EXPECT_GT(tried, 50U) << "a run with so few faults proves nothing";
}

INSTANTIATE_TEST_SUITE_P(Modes, RewriteFaultTest, io::all_fault_modes(), io::fault_mode_name);

}  // namespace
}  // namespace marigram::table::testing
