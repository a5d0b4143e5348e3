#include "table/retention.h"

#include "base/interval_text.h"
#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "log/apply_commit.h"
#include "table/definition.h"
#include "table/rollups.h"
#include "table/tombstone_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace marigram::table {
namespace {

constexpr int kTriesMax = 10'000;  // intervals that are looked at for one that begins with a bucket

Result<model::Retention> parse_rules(const std::vector<RetentionRule>& rules) {
  model::Retention retention;
  for (const RetentionRule& rule : rules) {
    model::RetentionClass& own = retention.emplace_back();
    own.where = rule.where;
    for (const auto& [name, text] : rule.keep) {
      MARIGRAM_ASSIGN(const Interval interval, parse_interval(text, false));
      own.keep.emplace(name, interval);
    }
  }
  return retention;
}

std::unexpected<Error> no_common_edge(const log::TableState& state, std::string_view name, const Interval& interval) {
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot keep {} for a time: no interval of {} begins with one of the table's buckets of {}",
                          name, format_interval(interval), model::format_bucket(state.meta->index->kind)));
}

Status check_rules(const log::TableState& state, const model::Retention& retention, Instant now) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  MARIGRAM_TRY(check_keeps_rollups(state.dialect(), index.kind, "keep rows for a time"));
  MARIGRAM_TRY(model::check_retention(retention, index, level_names(state)));
  for (const model::RetentionClass& own : retention) {
    for (const auto& [name, interval] : own.keep) MARIGRAM_TRY(align_horizon(state, own, name, now));
  }
  return check_can_expire(state, state.rollups, retention);
}

/// The first interval from `time` on that begins with a bucket of coverage.
Result<Instant> first_interval(const log::TableState& state, const model::RollupSpec& rollups, const Interval& interval,
                               Instant time) {
  const coverage::BucketGrid grid(state.dialect(), state.meta->index->kind);
  MARIGRAM_ASSIGN(TimeBuckets intervals, model::buckets_of(rollups, interval));
  TimeBuckets::Bucket own = intervals.of(time.seconds);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    MARIGRAM_ASSIGN(const std::uint64_t bucket, grid.id_of(Instant{.seconds = own.start}));
    if (own.start >= time.seconds && grid.start_of(bucket) == IndexValue(Instant{.seconds = own.start})) {
      return Instant{.seconds = own.start};
    }
    own = intervals.of(static_cast<std::int64_t>(own.begin + own.width));
  }
  return no_common_edge(state, "rows", interval);
}

/// The last bucket of coverage up to `time` that begins with an interval, if there is one to begin with.
Result<Instant> last_bucket(const log::TableState& state, std::string_view name, const Interval* interval,
                            Instant time) {
  const coverage::BucketGrid grid(state.dialect(), state.meta->index->kind);
  TimeBuckets intervals;
  if (interval != nullptr) {
    MARIGRAM_ASSIGN(intervals, model::buckets_of(state.rollups, *interval));
  }
  std::int64_t at = time.seconds;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const std::int64_t begin = interval != nullptr ? intervals.of(at).start : at;
    MARIGRAM_ASSIGN(const std::uint64_t bucket, grid.id_of(Instant{.seconds = begin}));
    at = std::get<Instant>(grid.start_of(bucket)).seconds;
    if (at == begin || interval == nullptr) return Instant{.seconds = at};
  }
  return no_common_edge(state, name, *interval);
}

/// Whether what is just before a time is still there.
bool reaches_back(const model::RetentionClass& own, const log::Level& level, Instant time) {
  const auto horizon = own.horizons.find(level.name);
  return horizon == own.horizons.end() || horizon->second < time;
}

/// Where a level begins that is made of rows from `time` on: coarser ones that reach back are not cut.
Result<Instant> begin_of_level(const log::TableState& state, const model::RetentionClass& own,
                               const model::RollupSpec& rollups, const Interval& interval, Instant time) {
  MARIGRAM_ASSIGN(const Instant first, first_interval(state, rollups, interval, time));
  const auto kept = std::ranges::find(rollups.intervals, interval);
  for (auto coarser = kept + 1; coarser != rollups.intervals.end(); ++coarser) {
    const log::Level* const level = state.find_level(format_interval(*coarser));
    if (level != nullptr && reaches_back(own, *level, first)) return first_interval(state, rollups, *coarser, first);
  }
  return first;
}

}  // namespace

Status check_can_expire(const log::TableState& state, const model::RollupSpec& rollups,
                        const model::Retention& retention) {
  if (retention.empty() || may_have_tombstones(state)) return {};
  const bool has_tags = std::ranges::any_of(retention, [](const auto& own) { return !own.where.empty(); });
  if (rollups.empty() && !has_tags) return {};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot keep rows for a time {}: other programs read this table's segments, and would not "
                          "know which rows are gone; make it native first (`marigram compact --segments native`)",
                          has_tags ? "by tags" : "beside rollups"));
}

Result<model::Retention> retention_by(const log::TableState& state, const std::vector<RetentionRule>& rules,
                                      Instant now) {
  MARIGRAM_ASSIGN(const model::Retention wanted, parse_rules(rules));
  MARIGRAM_TRY(check_rules(state, wanted, now));
  return model::replace_keeps(state.retention, wanted);
}

Result<std::uint64_t> set_retention(Engine& engine, const std::vector<RetentionRule>& rules) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  const Instant time = engine.environment().clock->now();
  MARIGRAM_ASSIGN(const model::Retention wanted, retention_by(*engine.state(), rules, time));
  if (wanted == engine.state()->retention) return engine.state()->version;
  MARIGRAM_TRY(engine.commit([&](const log::TableState& now) -> Result<log::Proposal> {
    log::Proposal proposal{.actions = {}, .extension = {.operation = "set_retention"}};
    MARIGRAM_ASSIGN(proposal.extension.retention, retention_by(now, rules, time));
    return proposal;
  }));
  return engine.state()->version;
}

std::vector<RetentionInfo> list_retention(const log::TableState& state) {
  std::vector<RetentionInfo> rules;
  for (const model::RetentionClass& own : state.retention) {
    RetentionInfo& info = rules.emplace_back();
    info.rule.where = own.where;
    for (const auto& [name, interval] : own.keep) info.rule.keep.emplace(name, format_interval(interval));
    info.horizons = {own.horizons.begin(), own.horizons.end()};
  }
  return rules;
}

Result<model::Retention> retention_with(const log::TableState& state, const model::RollupSpec& rollups) {
  MARIGRAM_TRY(check_can_expire(state, rollups, state.retention));
  const auto is_kept = [&](const std::string& name) {
    return std::ranges::any_of(rollups.intervals, [&](const Interval& own) { return format_interval(own) == name; });
  };
  if (model::has_horizons(state.retention)) {
    for (const log::Level& level : state.levels) {
      if (is_kept(level.name) && log::keeps_levels(state.rollups, rollups)) continue;
      return fail(
          ErrorCode::kInvalidInput,
          fmt::format("cannot give up level {}: it says what rows said that are gone, and cannot be made again; "
                      "let it expire (`retention`), or keep it with its time zone, origin and percentiles",
                      level.name));
    }
  }
  model::Retention retention = state.retention;
  for (model::RetentionClass& own : retention) {
    std::erase_if(own.keep, [&](const auto& kept) { return kept.first != model::kRows && !is_kept(kept.first); });
    const auto rows = own.horizons.find(model::kRows);
    if (rows == own.horizons.end()) continue;
    for (const Interval& interval : rollups.intervals) {
      const std::string name = format_interval(interval);
      if (state.find_level(name) != nullptr) continue;
      MARIGRAM_ASSIGN(const Instant first, begin_of_level(state, own, rollups, interval, rows->second));
      own.horizons.emplace(name, first);
    }
  }
  return retention;
}

Result<Instant> align_horizon(const log::TableState& state, const model::RetentionClass& own, std::string_view name,
                              Instant time) {
  const auto level = std::ranges::find(state.levels, name, &log::Level::name);
  const bool is_level = level != state.levels.end();
  MARIGRAM_ASSIGN(Instant at, last_bucket(state, name, is_level ? &level->interval : nullptr, time));
  for (auto coarser = is_level ? level + 1 : state.levels.begin(); coarser != state.levels.end(); ++coarser) {
    if (!reaches_back(own, *coarser, at)) continue;
    MARIGRAM_ASSIGN(at, last_bucket(state, name, &coarser->interval, at));
    if (reaches_back(own, *coarser, at)) break;
  }
  return at;
}

}  // namespace marigram::table
