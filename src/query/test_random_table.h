// A table with a random history: appends, compactions, deletions, rows that no segment has yet; and its rows as a naive
// model knows them.
#pragma once

#include "query/rollup_refresh.h"
#include "query/snapshot.h"
#include "table/definition.h"
#include "table/delete.h"
#include "table/evolve.h"
#include "table/rewrite.h"
#include "table/rollups.h"
#include "table/test_rows.h"
#include "table/vacuum.h"
#include "table/verify.h"

#include <arrow/api.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query::testing {

class RandomTable {
 public:
  using Row = table::testing::Row;

  /// `rollups`: the table keeps some, which are refreshed now and then.
  RandomTable(Duplicates policy, std::uint64_t seed, bool rollups = false)
      : policy_(policy), random_(seed), rollups_(rollups) {
    TableOptions options = table::testing::Fixture::options();
    options.duplicates = policy;
    options.fields = {{.name = "value", .type = "float64"}};
    if (below(2) == 0) options.segments = SegmentFormat::kNative;
    options.growing = below(4) == 0;
    if (rollups_ && below(2) == 0) options.rollups = random_rollups();
    engine_ = fixture_.create(options);
  }

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  std::string random_series() { return std::string(1, "abcdx"[below(5)]); }
  /// That of a row, or any other.
  std::int64_t random_time(const std::vector<Row>& rows) {
    if (rows.empty() || below(2) == 0) return (below(40 * 1440) - 20 * 1440) * table::testing::kMinuteUs;
    return rows[static_cast<std::size_t>(below(static_cast<std::int64_t>(rows.size())))].time_us;
  }

  void change() {
    if (rollups_ && below(3) == 0) return refresh();
    switch (below(4)) {
      case 0:
        return compact();
      case 1:
        return remove();
      default:
        return append(random_rows(40));
    }
  }
  /// Many rows of one series, so that in native segments it has pages of its own.
  void append_long() { append(rows_of(random_series(), (below(30) - 15) * 1440, 1'500 + below(1'500))); }

  /// What is wrong with the files.
  std::vector<std::string> problems() {
    return table::verify(fixture_.environment(), false).value_or(VerifyReport{.problems = {"cannot verify"}}).problems;
  }

  /// A moment of the table: its rows, as readers see them, in order of arrival.
  struct Moment {
    Snapshot snapshot;
    std::vector<Row> rows;
  };
  /// Unset while the table has no schema.
  std::optional<Moment> look() {
    if (!engine_->state()->meta->schema) return std::nullopt;
    Moment moment{.snapshot = {*engine_, engine_->state()}, .rows = rows_};
    if (policy_ != Duplicates::kReject && below(2) == 0) {
      const std::vector<Row> head = random_rows(40);
      moment.snapshot.newer = newer_of(head);
      moment.rows.insert(moment.rows.end(), head.begin(), head.end());
    }
    moment.rows = table::testing::visible_rows(moment.rows, policy_);
    return moment;
  }

 private:
  static constexpr std::int64_t kMinuteUs = table::testing::kMinuteUs;

  /// One a minute.
  std::vector<Row> rows_of(const std::string& series, std::int64_t start, std::int64_t count) {
    std::vector<Row> rows;
    for (std::int64_t minute = start; minute < start + count; ++minute) {
      if (policy_ == Duplicates::kReject && !taken_.emplace(series, minute).second) continue;
      rows.push_back(
          {minute * kMinuteUs, series, below(500) == 0 ? std::nullopt : std::optional(static_cast<double>(++value_))});
    }
    return rows;
  }

  /// Over some partitions, most of them without most series, on both sides of 1970.
  std::vector<Row> random_rows(std::int64_t count_max) {
    std::vector<Row> rows;
    const std::int64_t start = (below(30) - 15) * 1440;
    const std::int64_t minutes = 1 + below(below(2) == 0 ? 10 : 2'500);
    const std::string only = random_series();
    for (std::int64_t i = 1 + below(count_max); i > 0; --i) {
      const std::string series = below(2) == 0 ? only : std::string(1, "abcd"[below(4)]);
      const std::int64_t minute = start + below(minutes);
      if (policy_ == Duplicates::kReject && !taken_.emplace(series, minute).second) continue;
      const std::int64_t within = policy_ == Duplicates::kReject ? below(kMinuteUs) : below(2);
      rows.push_back({minute * kMinuteUs + within, series,
                      below(3) == 0 ? std::nullopt : std::optional(static_cast<double>(++value_))});
    }
    return rows;
  }

  void append(const std::vector<Row>& rows) {
    if (rows.empty()) return;
    const auto appended = table::testing::append_rows(*engine_, rows);
    ASSERT_TRUE(appended) << appended.error().message;
    rows_.insert(rows_.end(), rows.begin(), rows.end());
  }

  void compact() {
    if (below(2) == 0) {
      ASSERT_TRUE(table::set_segments(*engine_, below(2) == 0 ? SegmentFormat::kNative : SegmentFormat::kParquet, {}));
    }
    ASSERT_TRUE(table::compact(*engine_));
  }

  RollupOptions random_rollups() {
    const std::vector<std::string> all = {"1m", "5m", "30m", "6h", "1d", "1w"};
    RollupOptions options;
    for (const std::string& interval : all) {
      if (below(2) == 0) options.intervals.push_back(interval);
    }
    return options;
  }

  /// By a checkpoint, or by the log alone.
  void reopen() {
    if (below(2) == 0) {
      ASSERT_TRUE(engine_->log().write_checkpoint(*engine_->state()));
    }
    ASSERT_TRUE(table::vacuum(*engine_, 0, false));
    auto engine = table::Engine::open(fixture_.environment(), {});
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *std::move(engine);
  }

  void refresh() {
    if (below(4) == 0) reopen();
    if (below(6) == 0) {
      ASSERT_TRUE(table::set_rollups(*engine_, table::rollup_spec(random_rollups()).value()));
    }
    const auto refreshed = refresh_rollups(*engine_, {.commit_rows = 256U << below(10)});
    ASSERT_TRUE(refreshed) << refreshed.error().message;
  }

  void remove() {
    const std::string series = random_series();
    const std::int64_t from_us = (below(30) - 15) * 1440 * kMinuteUs;
    const std::int64_t to_us = from_us + 1 + below(3'000) * kMinuteUs;
    ASSERT_TRUE(table::remove_rows(*engine_, {.from = Instant::from_units(from_us, TimeUnit::kMicro),
                                              .to = Instant::from_units(to_us, TimeUnit::kMicro),
                                              .where = {{.column = "series", .values = {series}}}}));
    std::erase_if(rows_, [&](const Row& row) {
      const bool gone = row.series == series && row.time_us >= from_us && row.time_us < to_us;
      if (gone) taken_.erase({row.series, (row.time_us + 100'000 * kMinuteUs) / kMinuteUs - 100'000});
      return gone;
    });
  }

  /// Rows of a head, as a scan of them alone gives them.
  table::NewerRowsOf newer_of(const std::vector<Row>& head) {
    return [this, head](const ScanRequest& request) -> table::NewerRows {
      return [this, head, request](const std::vector<std::string>& columns, ScanOrder order) {
        ScanRequest matching = request;
        matching.order = order;
        const auto visible = table::testing::visible_rows(head, policy_);
        const auto whole = table::testing::to_batch(table::testing::expected_rows(visible, matching));
        std::vector<int> chosen;
        for (const std::string& column : columns) chosen.push_back(whole->schema()->GetFieldIndex(column));
        std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
        if (whole->num_rows() > 0) batches.push_back(*whole->SelectColumns(chosen));
        return std::make_unique<table::testing::VectorSource>(std::move(batches));
      };
    };
  }

  table::testing::Fixture fixture_;
  Duplicates policy_;
  std::mt19937_64 random_;
  bool rollups_ = false;
  std::unique_ptr<table::Engine> engine_;
  std::vector<Row> rows_;  // in order of arrival
  std::set<std::pair<std::string, std::int64_t>> taken_;
  std::int64_t value_ = 0;
};

}  // namespace marigram::query::testing
