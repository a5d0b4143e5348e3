#include "table/tiers.h"

#include "base/interval_text.h"
#include "base/try.h"
#include "model/retention.h"
#include "segment/compression.h"
#include "table/definition.h"
#include "table/segment_rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace marigram::table {
namespace {

constexpr std::uint64_t kCommitBytes = std::uint64_t{256} << 20;

Result<model::Tiers> parse_tiers(const TierOptions& options) {
  model::Tiers tiers;
  if (!options.cold_after.empty()) {
    MARIGRAM_ASSIGN(tiers.cold_after, parse_interval(options.cold_after, false));
  }
  MARIGRAM_TRY(check_compression(
      options.segments, options.segments == SegmentFormat::kNative ? options.compression : TableOptions{}.compression,
      "cannot set tiers"));
  tiers.cold_segments = options.segments;
  tiers.cold_compression = options.compression;
  tiers.cold_root = options.root;
  if (options.root.empty() || std::filesystem::path(options.root).is_absolute()) return tiers;
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot keep cold segments at \"{}\": want the absolute path of a folder", options.root));
}

/// The folder is of this table alone: nobody else's files are in it, and none of this one's are left behind.
Status check_root(const Environment& environment, const log::TableState& state, const model::Tiers& wanted) {
  if (wanted.cold_root == state.tiers.cold_root) return {};
  if (!environment.cold) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot keep cold segments at {}: this table is not in a folder", wanted.cold_root));
  }
  MARIGRAM_ASSIGN(const auto left, environment.store->list("cold"));
  if (!left.empty()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot keep cold segments at \"{}\": there are {} in \"{}\" now, perhaps of earlier "
                            "versions; write them anew (`compact` after `tier --cold-after none`), then vacuum",
                            wanted.cold_root, left.size(), state.tiers.cold_root));
  }
  return environment.cold->check_free(wanted.cold_root);
}

/// Features that a table has to have for these tiers.
Result<std::optional<model::TableMeta>> with_features(const log::TableState& state, const model::Tiers& wanted) {
  model::TableMeta meta = *state.meta;
  if (wanted.cold_after && wanted.cold_segments == SegmentFormat::kNative) {
    const bool is_ours = std::ranges::any_of(
        meta.reader_features, [](const std::string& feature) { return feature.starts_with("marigram_"); });
    if (!is_ours) {
      return fail(ErrorCode::kInvalidInput,
                  "cannot make native segments of cold rows: other programs read this table's segments, and could no "
                  "longer; choose Parquet for the cold tier, or make the table native (`compact --segments native`)");
    }
    if (meta.schema) MARIGRAM_TRY(check_types(SegmentFormat::kNative, *meta.schema, "cannot set tiers"));
    meta.require(log::kNativeFeature);
  }
  if (!wanted.cold_root.empty()) meta.require(log::kColdRootFeature);
  if (meta == *state.meta) return std::nullopt;
  return meta;
}

/// Warm segments whose rows all are old, oldest first.
Cluster segments_to_move(const Engine& engine, const StatePtr& state) {
  Cluster old;
  if (!state->tiers.cold_after) return old;
  const Instant since = model::moment_before(engine.environment().clock->now(), *state->tiers.cold_after);
  for (const SegmentPtr& segment : engine.segments(state)->all()) {
    if (!model::is_cold(segment->path) && std::get<Instant>(segment->max) < since) old.push_back(segment);
  }
  return old;
}

void note(const SegmentPtr& segment, TierReport& report) {
  report.rows += segment->row_count;
  ++report.segments;
  report.bytes_before += segment->file_size.value_or(0);
}

/// What one commit takes. False: another writer was at it.
Result<bool> move_some(Engine& engine, const StatePtr& state, const Cluster& all, const CancelToken& cancel,
                       TierReport& report) {
  SegmentRewrite rewrite(engine, state);
  TierReport moved = report;
  for (const SegmentPtr& segment : all) {
    if (cancel.cancelled()) return fail(ErrorCode::kCancelled, "moving cold segments cancelled");
    if (moved.bytes_before - report.bytes_before >= kCommitBytes) break;
    MARIGRAM_TRY(rewrite.replace({segment}, true, segment->rank));
    note(segment, moved);
  }
  MARIGRAM_ASSIGN(const bool committed, rewrite.commit("tier", false));
  if (!committed) return false;
  for (const model::SegmentMeta& segment : rewrite.new_segments()) {
    moved.bytes_after += segment.file_size.value_or(0);
  }
  moved.version = engine.state()->version;
  report = moved;
  return true;
}

TierUsage usage_of(std::string tier, const log::TableState& state) {
  TierUsage usage{.tier = std::move(tier)};
  for (const auto& [key, segment] : state.segments) {
    usage.rows += segment->row_count;
    ++usage.segments;
    usage.bytes += segment->file_size.value_or(0);
  }
  return usage;
}

}  // namespace

Status choose_tiers(const Environment& environment, const log::TableState& state, const TierOptions& options,
                    log::Proposal& proposal) {
  MARIGRAM_ASSIGN(const model::Tiers wanted, parse_tiers(options));
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  MARIGRAM_TRY(check_keeps_rollups(state.dialect(), index.kind, "set tiers"));
  MARIGRAM_TRY(check_root(environment, state, wanted));
  MARIGRAM_ASSIGN(auto meta, with_features(state, wanted));
  if (meta) proposal.actions.emplace_back(log::UpdateTableMeta{std::move(*meta)});
  proposal.extension.tiers = wanted;
  return {};
}

Result<std::uint64_t> set_tiers(Engine& engine, const TierOptions& options) {
  const auto propose = [&](const log::TableState& now) -> Result<log::Proposal> {
    log::Proposal proposal{.actions = {}, .extension = {.operation = "set_tiers", .keeps_rollups = true}};
    MARIGRAM_TRY(choose_tiers(engine.environment(), now, options, proposal));
    return proposal;
  };
  MARIGRAM_TRY(engine.commit(propose));
  return engine.state()->version;
}

TierOptions tier_options(const log::TableState& state) {
  TierOptions options{.segments = state.tiers.cold_segments,
                      .compression = state.tiers.cold_compression,
                      .root = state.tiers.cold_root};
  if (state.tiers.cold_after) options.cold_after = format_interval(*state.tiers.cold_after);
  return options;
}

std::vector<TierUsage> tier_usage(const log::TableState& state) {
  TierUsage warm{.tier = "warm"};
  TierUsage cold{.tier = "cold"};
  for (const auto& [key, segment] : state.segments) {
    TierUsage& own = model::is_cold(segment->path) ? cold : warm;
    own.rows += segment->row_count;
    ++own.segments;
    own.bytes += segment->file_size.value_or(0);
  }
  std::vector<TierUsage> usage{std::move(warm), std::move(cold)};
  for (const log::Level& level : state.levels) usage.push_back(usage_of("rollup " + level.name, *level.table));
  return usage;
}

bool has_cold_rows_to_move(const Engine& engine) {
  return !segments_to_move(engine, engine.state()).empty();
}

Result<TierReport> move_cold(Engine& engine, bool dry_run, const CancelToken& cancel) {
  TierReport report;
  if (!dry_run) MARIGRAM_TRY(engine.check_writable());
  while (true) {
    if (!dry_run) MARIGRAM_TRY(engine.refresh());
    const StatePtr state = engine.state();
    const Cluster old = segments_to_move(engine, state);
    if (dry_run) {
      for (const SegmentPtr& segment : old) note(segment, report);
    }
    report.version = state->version;
    if (old.empty() || dry_run) return report;
    MARIGRAM_TRY(move_some(engine, state, old, cancel, report));
  }
}

}  // namespace marigram::table
