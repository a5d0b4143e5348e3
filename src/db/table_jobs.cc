#include "db/table_jobs.h"

#include "base/quantity_text.h"
#include "base/try.h"
#include "query/expiry.h"
#include "query/rollup_refresh.h"
#include "table/rewrite.h"
#include "table/tiers.h"
#include "table/vacuum.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace marigram::db {
namespace {

using table::LiveTable;

constexpr std::uint64_t kCompactStepBytes = std::uint64_t{64} << 20U;

/// Of one table.
class TableWork : public JobWork {
 public:
  explicit TableWork(LiveTable& table) : table_(table) {}
  std::string result() const override { return result_; }

 protected:
  const log::TableState& look() {
    state_ = table_.engine().state();
    return *state_;
  }
  LiveTable& table() const { return table_; }
  void tell(std::string what) { result_ = std::move(what); }

 private:
  LiveTable& table_;
  table::StatePtr state_;  // that was looked at
  std::string result_;
};

class RefreshWork final : public TableWork {
 public:
  using TableWork::TableWork;

  Result<JobStep> step(const CancelToken& cancel) override {
    if (!is_due(look())) return JobStep{};
    MARIGRAM_TRY(table().change_rollups([&](table::Engine& engine) -> Status {
      MARIGRAM_ASSIGN(const RefreshReport report, query::refresh_rollups(engine, {.cancel = cancel}));
      if (report.commits == 0) return {};
      tell(fmt::format("{} of rollups in {}", count_of(report.rows, "row"), count_of(report.commits, "commit")));
      return {};
    }));
    return JobStep{};
  }

 private:
  static bool is_due(const log::TableState& state) {
    return std::ranges::any_of(state.levels, [&](const log::Level& level) {
      return level.pending || (!state.changed.empty() && state.changed.back().version > level.through);
    });
  }
};

/// First levels are refreshed, which may take long, while flushes go on.
class ExpireWork final : public TableWork {
 public:
  using TableWork::TableWork;

  Result<JobStep> step(const CancelToken& cancel) override {
    const auto keeps_for_a_time = [](const model::RetentionClass& own) { return !own.keep.empty(); };
    if (std::ranges::none_of(look().retention, keeps_for_a_time)) return JobStep{};
    if (!std::exchange(refreshed_, true)) {
      const auto refresh = [&](table::Engine& engine) -> Status {
        MARIGRAM_TRY(query::refresh_rollups(engine, {.cancel = cancel}));
        return {};
      };
      MARIGRAM_TRY(table().change_rollups(refresh));
      return JobStep{.more = true};
    }
    MARIGRAM_TRY(table().change_segments([&](table::Engine& engine) -> Status {
      MARIGRAM_ASSIGN(const ExpiryReport report, query::expire(engine, cancel));
      if (report.rows + report.rollup_rows == 0) return {};
      tell(fmt::format("{} and {} of rollups expired", count_of(report.rows, "row"), group_digits(report.rollup_rows)));
      return {};
    }));
    return JobStep{};
  }

 private:
  bool refreshed_ = false;
};

class TierWork final : public TableWork {
 public:
  using TableWork::TableWork;

  Result<JobStep> step(const CancelToken& cancel) override {
    if (!look().tiers.cold_after || !table::has_cold_rows_to_move(table().engine())) return JobStep{};
    MARIGRAM_TRY(table().change_rollups([&](table::Engine& engine) -> Status {
      MARIGRAM_ASSIGN(const TierReport report, table::move_cold(engine, false, cancel));
      if (report.segments == 0) return {};
      tell(fmt::format("{} in {} became cold, {} became {}", count_of(report.rows, "row"),
                       count_of(report.segments, "segment"), format_bytes(report.bytes_before),
                       format_bytes(report.bytes_after)));
      return {};
    }));
    return JobStep{};
  }
};

class CompactWork final : public TableWork {
 public:
  CompactWork(LiveTable& table, JobMarks& marks) : TableWork(table), marks_(marks) {}

  Result<JobStep> step(const CancelToken& cancel) override {
    const auto mark = marks_.find(JobKind::kCompact, table().name());
    if (mark && mark->version == look().version) return JobStep{};
    CompactReport report;
    MARIGRAM_TRY(table().change_rollups([&](table::Engine& engine) -> Status {
      const CompactOptions options{.tiered = true, .bytes = kCompactStepBytes, .cancel = cancel};
      MARIGRAM_ASSIGN(report, table::compact(engine, options));
      return {};
    }));
    before_ += report.before;
    after_ += report.after;
    if (before_.segments > 0) {
      tell(fmt::format("{} became {}, {} became {}", count_of(before_.segments, "segment"),
                       group_digits(after_.segments), format_bytes(before_.bytes), format_bytes(after_.bytes)));
    }
    if (!report.more) marks_.set(JobKind::kCompact, table().name(), {.version = report.version});
    return JobStep{.more = report.more};
  }

 private:
  JobMarks& marks_;
  CompactReport::Total before_;
  CompactReport::Total after_;
};

class VacuumWork final : public TableWork {
 public:
  VacuumWork(LiveTable& table, JobMarks& marks, const Clock& clock, const JobOptions& options)
      : TableWork(table), marks_(marks), clock_(clock), options_(options) {}

  Result<JobStep> step(const CancelToken& /*cancel*/) override {
    const auto mark = marks_.find(JobKind::kVacuum, table().name());
    const bool unchanged = mark && mark->version == look().version;
    if (unchanged && was_old_enough(look().timestamp, mark->at)) return JobStep{};
    const Instant now = clock_.now();
    History history = options_.history;
    if (unchanged) history.versions.reset();  // else each would give up one, that the one before has made
    MARIGRAM_TRY(table().change_segments([&](table::Engine& engine) -> Status {
      MARIGRAM_ASSIGN(const VacuumReport report,
                      table::vacuum(engine, options_.vacuum_older_than.count(), false, history));
      if (report.files == 0) return {};
      tell(fmt::format("{} deleted, {}", count_of(report.files, "file"), format_bytes(report.bytes)));
      return {};
    }));
    marks_.set(JobKind::kVacuum, table().name(), {.version = look().version, .at = now});
    return JobStep{};
  }

 private:
  /// Whether all that the version no longer has was so old then that it went, and so was what history is kept.
  bool was_old_enough(Instant version, Instant then) const {
    constexpr std::int64_t kAgeMax = std::int64_t{1} << 40U;  // so that no sum overflows
    version.seconds +=
        std::min(std::max(options_.vacuum_older_than.count(), options_.history.seconds.value_or(0)), kAgeMax);
    return then > version;
  }

  JobMarks& marks_;
  const Clock& clock_;
  const JobOptions options_;
};

/// Of tables that were dropped.
class SweepWork final : public JobWork {
 public:
  SweepWork(Catalogue& catalogue, const Clock& clock, const JobOptions& options)
      : catalogue_(catalogue), clock_(clock), older_than_(options.vacuum_older_than) {}

  Result<JobStep> step(const CancelToken& /*cancel*/) override {
    Instant cutoff = clock_.now();
    cutoff.seconds -= older_than_.count();
    MARIGRAM_ASSIGN(const VacuumReport report, catalogue_.sweep_dropped(cutoff, false));
    if (report.files > 0) {
      result_ =
          fmt::format("{} of dropped tables deleted, {}", count_of(report.files, "file"), format_bytes(report.bytes));
    }
    return JobStep{};
  }
  std::string result() const override { return result_; }

 private:
  Catalogue& catalogue_;
  const Clock& clock_;
  const std::chrono::seconds older_than_;
  std::string result_;
};

}  // namespace

std::optional<JobMarks::Mark> JobMarks::find(JobKind kind, const table::TableName& table) const {
  const std::lock_guard lock(mutex_);
  const auto found = marks_.find({table, kind});
  return found == marks_.end() ? std::nullopt : std::optional(found->second);
}

void JobMarks::set(JobKind kind, const table::TableName& table, const Mark& mark) {
  const std::lock_guard lock(mutex_);
  marks_.insert_or_assign({table, kind}, mark);
}

void JobMarks::keep(const std::vector<table::TableName>& tables) {
  const std::set<table::TableName> kept(tables.begin(), tables.end());
  const std::lock_guard lock(mutex_);
  std::erase_if(marks_, [&](const auto& entry) { return !kept.contains(entry.first.first); });
}

Result<std::vector<table::TableName>> tables_with_jobs(const Catalogue& catalogue) {
  std::vector<table::TableName> tables = {kWholeDatabase};
  MARIGRAM_ASSIGN(const auto name_spaces, catalogue.name_spaces());
  for (const std::string& name_space : name_spaces) {
    MARIGRAM_ASSIGN(const auto names, catalogue.tables(name_space));
    for (const std::string& name : names) tables.push_back({.name_space = name_space, .name = name});
  }
  return tables;
}

bool has_job(JobKind kind, const table::TableName& table) {
  return kind == JobKind::kVacuum || table != kWholeDatabase;
}

Result<std::vector<table::TableName>> TableJobs::tables() {
  MARIGRAM_ASSIGN(auto tables, tables_with_jobs(catalogue_));
  marks_.keep(tables);
  return tables;
}

Result<std::unique_ptr<JobWork>> TableJobs::begin(JobKind kind, const table::TableName& name) {
  if (name == kWholeDatabase) return std::make_unique<SweepWork>(catalogue_, clock_, options_);
  MARIGRAM_ASSIGN(LiveTable* const table, catalogue_.find(name.name_space, name.name));
  switch (kind) {
    case JobKind::kRefresh:
      return std::make_unique<RefreshWork>(*table);
    case JobKind::kExpire:
      return std::make_unique<ExpireWork>(*table);
    case JobKind::kTier:
      return std::make_unique<TierWork>(*table);
    case JobKind::kCompact:
      return std::make_unique<CompactWork>(*table, marks_);
    case JobKind::kVacuum:
      return std::make_unique<VacuumWork>(*table, marks_, clock_, options_);
  }
  return fail(ErrorCode::kInternal, "there is no such kind of jobs");
}

}  // namespace marigram::db
