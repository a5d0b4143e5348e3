// Tiered compaction and the cold tier under flush after flush, late rows, deletes and other writers. Without these a
// table that is written all day would be written anew with each flush, or end in thousands of segments; and a row that
// was replaced could come back when only some of the segments are merged.
#include "base/manual_clock.h"
#include "io/memory_store.h"
#include "io/split_store.h"
#include "table/append.h"
#include "table/delete.h"
#include "table/rewrite.h"
#include "table/test_rows.h"
#include "table/tiers.h"
#include "table/vacuum.h"
#include "table/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <random>
#include <set>

namespace marigram::table::testing {
namespace {

constexpr std::int64_t kDayUs = 1'440 * kMinuteUs;

TableOptions options_of(Duplicates policy, SegmentFormat format = SegmentFormat::kNative) {
  TableOptions options = Fixture::options();
  options.bucket = "1m";
  options.duplicates = policy;
  options.segments = format;
  return options;
}

void expect_sound(const Environment& environment) {
  const auto report = verify(environment, false);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->problems.empty()) << fmt::format("{}", fmt::join(report->problems, "\n"));
}

/// Two series, `count` rows each, a second apart.
std::vector<Row> ticks(std::int64_t first_us, std::int64_t count, double value) {
  std::vector<Row> rows;
  for (const char* series : {"a", "b"}) {
    for (std::int64_t i = 0; i < count; ++i) rows.push_back({first_us + i * 1'000'000, series, value});
  }
  return rows;
}

TEST(TieredCompaction, WritesARowAnewOnceATierAndLeavesFewSegments) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kLast));
  constexpr std::int64_t kFlushes = 1'024;
  constexpr std::int64_t kRows = 16;
  std::uint64_t rewritten = 0;
  std::uint64_t most = 0;
  for (std::int64_t flush = 0; flush < kFlushes; ++flush) {
    // Each begins before the one before ends, as series that lag behind make them.
    ASSERT_TRUE(append_rows(*engine, ticks(flush * kRows * 1'000'000 - 3'000'000, kRows + 3, double(flush))));
    const auto report = compact(*engine, {.tiered = true});
    ASSERT_TRUE(report) << report.error().message;
    rewritten += report->before.rows;
    most = std::max(most, engine->state()->segments.size());
  }
  const auto rows = static_cast<double>(kFlushes * (kRows + 3) * 2);
  EXPECT_LE(static_cast<double>(rewritten) / rows, 6.0) << "log4(1,024) = 5 times";
  EXPECT_LE(most, 20U);
  std::vector<Row> all;
  for (std::int64_t flush = 0; flush < kFlushes; ++flush) {
    std::ranges::copy(ticks(flush * kRows * 1'000'000 - 3'000'000, kRows + 3, double(flush)), std::back_inserter(all));
  }
  EXPECT_TRUE(scan_rows(*engine) == expected_rows(visible_rows(all, Duplicates::kLast), {}));
  expect_sound(fixture.environment());
}

TEST(TieredCompaction, WaitsUntilThereAreFourOfAKind) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kAll));
  for (std::int64_t flush = 0; flush < 3; ++flush) {
    ASSERT_TRUE(append_rows(*engine, ticks(flush * 1'000'000'000, 100, 1)));
    EXPECT_EQ(compact(*engine, {.tiered = true})->before.segments, 0U);
  }
  ASSERT_TRUE(append_rows(*engine, ticks(3'000'000'000, 5, 1)));
  EXPECT_EQ(compact(*engine, {.tiered = true})->before.segments, 0U) << "a small one is not of their kind";
  ASSERT_TRUE(append_rows(*engine, ticks(4'000'000'000, 100, 1)));
  const auto planned = compact(*engine, {.tiered = true, .dry_run = true});
  EXPECT_EQ(planned->before.segments, 5U);
  EXPECT_EQ(planned->after.segments, 0U);
  EXPECT_EQ(engine->state()->segments.size(), 5U) << "a dry run changes nothing";
  EXPECT_EQ(compact(*engine, {.tiered = true})->before.segments, 5U) << "but goes with them";
  EXPECT_EQ(engine->state()->segments.size(), 1U);
}

TEST(TieredCompaction, DoesSoMuchAtATime) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kAll));
  for (std::int64_t day = 0; day < 5; ++day) {
    for (std::int64_t flush = 0; flush < 4; ++flush) {
      ASSERT_TRUE(append_rows(*engine, ticks(day * kDayUs + flush * 1'000'000'000, 10, 1)));
    }
  }
  for (int step = 0; step < 5; ++step) {
    const auto report = compact(*engine, {.tiered = true, .bytes = 1});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->before.segments, 4U);
    EXPECT_EQ(report->more, step < 4);
  }
  const CancelToken cancel;
  cancel.cancel();
  ASSERT_TRUE(append_rows(*engine, ticks(900'000'000, 10, 1)));
  EXPECT_EQ(compact(*engine, {.cancel = cancel}).error().code, ErrorCode::kCancelled);
}

// ---- histories ----

/// A table whose rows are known.
class History {
 public:
  History(unsigned seed, Duplicates policy, SegmentFormat format)
      : random_(seed), policy_(policy), second_(io::make_memory_store(fixture_.clock)) {
    auto split = std::make_shared<io::SplitStore>(fixture_.store, std::string(model::kColdFolder),
                                                  [this](const std::string&) { return second_; });
    environment_ = fixture_.environment();
    environment_.store = split;
    environment_.cold = split;
    TableOptions options = options_of(policy, format);
    options.tiers = {.cold_after = "2d", .root = seed % 2 == 0 ? "/elsewhere" : ""};
    if (seed % 5 == 0) options.tiers.segments = SegmentFormat::kParquet;
    auto engine = Engine::create(environment_, options);
    EXPECT_TRUE(engine) << engine.error().message;
    engine_ = std::move(*engine);
  }

  void step() {
    switch (pick(10)) {
      case 0:
        fixture_.clock.advance(std::chrono::hours(pick(30)));
        return;
      case 1:
        return check(compact(*engine_, {.tiered = true, .bytes = pick(2) == 0 ? 1 : UINT64_MAX}));
      case 2:
        return pick(4) == 0 ? check(compact(*engine_)) : check(compact(*engine_, {.tiered = true}));
      case 3:
        return check(move_cold(*engine_, false, {}));
      case 4:
        return remove();
      case 5:
        if (pick(4) != 0) return;
        engine_ = std::move(*Engine::open(environment_, {}));
        return check(vacuum(*engine_, 0, false, {.versions = 1}));
      default:
        return append();
    }
  }

  void expect_right() { EXPECT_TRUE(scan_rows(*engine_) == expected_rows(visible_rows(rows_, policy_), {})) << "step"; }

  std::size_t cold_segments() const { return tier_usage(*engine_->state())[1].segments; }
  const Environment& environment() const { return environment_; }
  io::ObjectStore& second() { return *second_; }

 private:
  std::uint64_t pick(std::uint64_t bound) { return random_() % bound; }

  template <typename T>
  void check(const Result<T>& result) {
    EXPECT_TRUE(result) << result.error().message;
  }

  std::int64_t now_us() const { return fixture_.clock.now().seconds * 1'000'000; }

  /// Near now, or late.
  void append() {
    const std::int64_t day = pick(6) == 0 ? static_cast<std::int64_t>(pick(6)) : 0;
    const std::int64_t first = (now_us() - day * kDayUs) / kMinuteUs * kMinuteUs;
    std::map<std::pair<std::string, std::int64_t>, Row> batch;
    for (std::uint64_t i = 0; i <= pick(40); ++i) {
      const std::int64_t at = first + static_cast<std::int64_t>(pick(120)) * kMinuteUs;
      const std::string series(1, static_cast<char>('a' + pick(3)));
      if (policy_ == Duplicates::kReject && !covered_.emplace(series, at).second) continue;
      batch.insert_or_assign({series, at}, Row{at, series, static_cast<double>(++value_)});
    }
    std::vector<Row> rows;
    for (auto& [key, row] : batch) rows.push_back(row);
    if (rows.empty()) return;
    check(append_rows(*engine_, rows));
    std::ranges::copy(rows, std::back_inserter(rows_));
  }

  void remove() {
    const std::int64_t from = now_us() - static_cast<std::int64_t>(pick(4)) * kDayUs;
    const std::int64_t to = from + static_cast<std::int64_t>(pick(3'000)) * kMinuteUs + 1;
    const std::string series(1, static_cast<char>('a' + pick(3)));
    const auto is_gone = [&](const Row& row) {
      return row.series == series && row.time_us >= from && row.time_us < to;
    };
    check(remove_rows(*engine_, {.from = Instant::from_units(from, TimeUnit::kMicro),
                                 .to = Instant::from_units(to, TimeUnit::kMicro),
                                 .where = {{.column = "series", .values = {series}}}}));
    for (const Row& row : rows_) {
      if (is_gone(row)) covered_.erase({row.series, row.time_us});
    }
    std::erase_if(rows_, is_gone);
  }

  Fixture fixture_;
  std::mt19937 random_;
  Duplicates policy_;
  std::shared_ptr<io::ObjectStore> second_;
  Environment environment_;
  std::unique_ptr<Engine> engine_;
  std::vector<Row> rows_;
  std::set<std::pair<std::string, std::int64_t>> covered_;
  int value_ = 0;
};

TEST(TieredCompaction, RandomHistoriesShowTheRowsOfTheModel) {
  std::size_t cold = 0;
  std::size_t elsewhere = 0;
  for (unsigned seed = 0; seed < 36; ++seed) {
    const auto policy = static_cast<Duplicates>(seed % 3);
    History history(seed, policy,
                    seed % 4 == 3 && policy != Duplicates::kReject ? SegmentFormat::kParquet : SegmentFormat::kNative);
    for (int step = 0; step < 60; ++step) {
      history.step();
      if (step % 4 == 0) history.expect_right();
      if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << " step " << step;
    }
    history.expect_right();
    expect_sound(history.environment());
    cold += history.cold_segments();
    elsewhere += history.second().list("").value().size();
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
  EXPECT_GT(cold, 10U);
  EXPECT_GT(elsewhere, 10U);
}

// ---- tiers ----

TEST(Tiers, OldSegmentsBecomeColdAndNothingElseDoes) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kAll));
  fixture.clock.advance(std::chrono::seconds(2 * 86'400 - fixture.clock.now().seconds % 86'400 - 43'200));  // to noon
  const std::int64_t one_o_clock = (fixture.clock.now().seconds + 3'600) * 1'000'000;
  std::vector<Row> rows;
  for (std::int64_t day = -5; day <= 0; ++day) {
    const std::vector<Row> own = ticks(one_o_clock + day * kDayUs, 200, static_cast<double>(day));
    ASSERT_TRUE(append_rows(*engine, own));
    std::ranges::copy(own, std::back_inserter(rows));
  }
  EXPECT_EQ(move_cold(*engine, false, {})->segments, 0U) << "nothing says that anything becomes cold";
  ASSERT_TRUE(set_tiers(*engine, {.cold_after = "3d"}));
  const std::uint64_t before = engine->state()->version;
  const auto preview = move_cold(*engine, true, {});
  const auto moved = move_cold(*engine, false, {});
  ASSERT_TRUE(preview && moved);
  EXPECT_EQ(preview->segments, moved->segments);
  EXPECT_EQ(preview->rows, moved->rows);
  EXPECT_EQ(moved->rows, 2U * 200 * 2) << "days -5 and -4; that of -3 has rows that are younger";
  EXPECT_EQ(moved->version, before + 1);
  EXPECT_TRUE(scan_rows(*engine) == expected_rows(rows, {}));
  const auto usage = tier_usage(*engine->state());
  EXPECT_EQ(usage[0].segments, 4U);
  EXPECT_EQ(usage[1].segments, 2U);
  EXPECT_EQ(usage[1].bytes, moved->bytes_after);
  EXPECT_EQ(move_cold(*engine, false, {})->segments, 0U);
  EXPECT_EQ(compact(*engine)->before.segments, 0U) << "what is cold stays cold";
  expect_sound(fixture.environment());
}

TEST(Tiers, AreRefusedWhereTheyCannotBe) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kAll));
  const auto code = [&](const TierOptions& options) { return set_tiers(*engine, options).error().code; };
  EXPECT_EQ(code({.cold_after = "soon"}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.cold_after = "1d", .compression = "best"}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.cold_after = "1d", .root = "cold"}), ErrorCode::kInvalidInput) << "relative";
  EXPECT_EQ(code({.cold_after = "1d", .root = "/cold"}), ErrorCode::kInvalidInput) << "a store that cannot be split";
  Fixture open;
  const auto shared = open.create(options_of(Duplicates::kReject, SegmentFormat::kParquet));
  EXPECT_EQ(set_tiers(*shared, {.cold_after = "1d"}).error().code, ErrorCode::kInvalidInput)
      << "other programs read it";
  EXPECT_TRUE(set_tiers(*shared, {.cold_after = "1d", .segments = SegmentFormat::kParquet}));
}

TEST(Tiers, AFolderElsewhereIsOfOneTableAndIsNotLeftWhileSegmentsAreInIt) {
  Fixture fixture;
  const auto second = io::make_memory_store(fixture.clock);
  Environment environment = fixture.environment();
  const auto split = std::make_shared<io::SplitStore>(fixture.store, std::string(model::kColdFolder),
                                                      [&](const std::string&) { return second; });
  environment.store = split;
  environment.cold = split;
  const auto engine = Engine::create(environment, options_of(Duplicates::kAll)).value();
  ASSERT_TRUE(second->put("mine.txt", "mine"));
  EXPECT_EQ(set_tiers(*engine, {.cold_after = "1d", .root = "/disk2"}).error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE(second->remove("mine.txt"));
  ASSERT_TRUE(set_tiers(*engine, {.cold_after = "1d", .root = "/disk2"}));
  ASSERT_TRUE(append_rows(*engine, ticks(0, 10, 1)));
  EXPECT_EQ(move_cold(*engine, false, {})->segments, 1U);
  EXPECT_EQ(second->list("").value().size(), 1U);
  EXPECT_EQ(set_tiers(*engine, {.cold_after = "1d", .root = "/disk3"}).error().code, ErrorCode::kInvalidInput);
  const auto again = Engine::open(environment, {});
  ASSERT_TRUE(again);
  EXPECT_TRUE(scan_rows(**again) == expected_rows(ticks(0, 10, 1), {}));
  ASSERT_TRUE(remove_rows(*engine, {}));
  fixture.clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(vacuum(*engine, 0, false, {.versions = 1}));
  EXPECT_TRUE(second->list("").value().empty());
  EXPECT_TRUE(set_tiers(*engine, {.cold_after = "1d", .root = "/disk3"}));
}

}  // namespace
}  // namespace marigram::table::testing
