// Which segments are merged, and the merging.
//
// A full compaction merges all that is small or overlaps. A tiered one lets segments wait for others of like size, as
// size-tiered merge trees do (Bigtable, OSDI 2006; Cassandra's and Lucene's policies): of each partition, in the order
// in which rows replace one another, runs of segments that have at most 4^(t+1) rows are merged once four of them have
// more than 4^t. So a row is written anew once a tier, log4(good / first) times in all, and a partition has at most
// three segments a tier but for those of other tiers between. What comes of a run stands where its newest segment
// stood: nothing stands between the segments of a run, nor at the same place as the newest but outside, so no row comes
// before another that it came after.
#include "base/try.h"
#include "table/definition.h"
#include "table/rewrite.h"
#include "table/rollups.h"
#include "table/segment_rewrite.h"
#include "table/tombstone_list.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>
#include <variant>

namespace marigram::table {
namespace {

constexpr std::size_t kFanIn = 4;

/// Segments to be rewritten together.
struct Merge {
  Cluster segments = {};
  std::optional<model::SegmentRank> rank = {};  // see SegmentRewrite::replace

  std::uint64_t bytes() const {
    std::uint64_t bytes = 0;
    for (const SegmentPtr& segment : segments) bytes += segment->file_size.value_or(0);
    return bytes;
  }
};

std::uint64_t rows_of(const Cluster& cluster) {
  std::uint64_t rows = 0;
  for (const SegmentPtr& segment : cluster) rows += segment->row_count;
  return rows;
}

/// What is worth merging in one state of a table, or of a level.
class Choice {
 public:
  static Result<Choice> make(const Engine& engine, const StatePtr& state) {
    Choice choice(*state);
    if (std::holds_alternative<model::TimestampIndex>(state->meta->index->kind)) {
      MARIGRAM_ASSIGN(choice.seconds_, segment_seconds(*state));
    }
    MARIGRAM_ASSIGN(choice.tombstones_, engine.tombstones(*state));
    choice.clusters_ = cut_where_none_overlaps(engine.segments(state)->all());
    return choice;
  }

  std::vector<Merge> all() const {
    std::vector<Merge> worth;
    Run run;
    const auto end_run = [&] {
      if (is_worth_it(run)) worth.push_back({.segments = std::move(run.segments)});
      run = {};
    };
    for (const Cluster& cluster : clusters_) {
      const auto partition = is_good(cluster) ? std::nullopt : partition_of(cluster);
      const bool cold = is_cold(cluster);
      if (partition != run.partition || cold != run.cold) end_run();
      run.partition = partition;
      run.cold = cold;
      if (!partition) continue;
      std::ranges::copy(cluster, std::back_inserter(run.segments));
      run.defective |= is_mixed(cluster) || is_defective(cluster);
    }
    end_run();
    return worth;
  }

  std::vector<Merge> tiered() const {
    std::vector<Merge> worth;
    std::map<std::int64_t, Cluster> waiting;  // by partition
    for (const Cluster& cluster : clusters_) {
      const auto partition = partition_of(cluster);
      if (!partition) continue;
      if (is_defective(cluster)) {
        worth.push_back({.segments = cluster});
        continue;
      }
      std::ranges::copy(cluster, std::back_inserter(waiting[*partition]));
    }
    for (auto& [partition, segments] : waiting) choose_runs(std::move(segments), worth);
    return worth;
  }

 private:
  /// Neighbours in one partition.
  struct Run {
    std::optional<std::int64_t> partition = {};
    bool cold = false;
    Cluster segments = {};
    bool defective = false;  // rows may have been replaced or are hidden, or lie in another format than they should
  };

  explicit Choice(const log::TableState& state) : state_(&state) {}

  std::uint64_t good_rows(bool cold) const {
    return static_cast<std::uint64_t>(rewritten_segments(*state_, cold).good);
  }

  /// What comes of it has at most a segment per so many good rows, of one commit: it is not worth it again.
  bool is_worth_it(const Run& run) const {
    const std::uint64_t good = good_rows(run.cold);
    return run.defective || run.segments.size() > (rows_of(run.segments) + good - 1) / good;
  }

  /// The partition that a cluster lies in; unset if it crosses one.
  std::optional<std::int64_t> partition_of(const Cluster& cluster) const {
    if (!seconds_) return 0;
    const auto number = [&](const IndexValue& value) {
      const std::int64_t at = std::get<Instant>(value).seconds;
      return at / *seconds_ - (at % *seconds_ < 0 ? 1 : 0);
    };
    const std::int64_t first = number(cluster.front()->min);
    const bool crosses =
        std::ranges::any_of(cluster, [&](const auto& segment) { return number(segment->max) != first; });
    return crosses ? std::nullopt : std::optional(first);
  }

  /// Overlapping segments of different commits: rows may have been replaced, and ranges read more than they need.
  static bool is_mixed(const Cluster& cluster) {
    return std::ranges::any_of(cluster, [&](const auto& s) { return s->rank.rank != cluster.front()->rank.rank; });
  }

  /// Rows are hidden, or lie in another format than they should.
  bool is_defective(const Cluster& cluster) const {
    return std::ranges::any_of(cluster, [&](const SegmentPtr& segment) {
      return segment->format != format_of(*state_, model::is_cold(segment->path)) ||
             tombstones_->of(*segment) != nullptr;
    });
  }

  /// A large segment; or those of one append that came with more than one segment holds: they follow one another by
  /// series, and would not if they were written anew.
  bool is_good(const Cluster& cluster) const {
    if (is_mixed(cluster) || is_defective(cluster)) return false;
    const std::uint64_t good =
        cluster.size() == 1 ? good_rows(is_cold(cluster)) : static_cast<std::uint64_t>(NewSegments().good);
    return rows_of(cluster) >= cluster.size() * good;
  }

  /// The tier of a segment that is to be merged with others of it.
  static int tier_of(const model::SegmentMeta& segment) { return (std::bit_width(segment.row_count) - 1) / 2; }

  bool stays(const model::SegmentMeta& segment) const {
    return segment.row_count >= good_rows(model::is_cold(segment.path));
  }

  /// Whether what stands at the place of the one would stand at that of the other: they came of one rewriting.
  bool stand_together(const model::SegmentMeta& one, const model::SegmentMeta& other) const {
    return state_->has_ranks() && one.rank == other.rank;
  }

  /// Of segments of one partition.
  void choose_runs(Cluster segments, std::vector<Merge>& worth) const {
    if (segments.size() < kFanIn) return;
    if (state_->has_ranks()) {
      const auto place = [&](const SegmentPtr& segment) { return std::pair(segment->rank, !stays(*segment)); };
      std::ranges::sort(segments, {}, place);
    }
    std::vector<bool> taken(segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i) taken[i] = stays(*segments[i]);
    constexpr int kTiersMax = 32;
    for (int tier = 0; tier < kTiersMax; ++tier) {
      const auto fits = [&](std::size_t i) {
        return i < segments.size() && !taken[i] && tier_of(*segments[i]) <= tier;
      };
      for (std::size_t begin = 0, end = 0; begin < segments.size(); begin = std::max(begin + 1, end)) {
        end = begin;
        std::size_t full = 0;
        for (; fits(end) && model::is_cold(segments[end]->path) == model::is_cold(segments[begin]->path); ++end) {
          full += tier_of(*segments[end]) == tier ? 1U : 0U;
        }
        while (end > begin && end < segments.size() && stand_together(*segments[end - 1], *segments[end])) {
          full -= tier_of(*segments[--end]) == tier ? 1U : 0U;
        }
        if (full >= kFanIn) worth.push_back(merge_of(segments, begin, end, taken));
      }
    }
  }

  Merge merge_of(const Cluster& segments, std::size_t begin, std::size_t end, std::vector<bool>& taken) const {
    Merge merge{.segments = {segments.begin() + static_cast<std::ptrdiff_t>(begin),
                             segments.begin() + static_cast<std::ptrdiff_t>(end)}};
    if (state_->has_ranks()) merge.rank = merge.segments.back()->rank;
    std::fill(taken.begin() + static_cast<std::ptrdiff_t>(begin), taken.begin() + static_cast<std::ptrdiff_t>(end),
              true);
    return merge;
  }

  const log::TableState* state_;
  std::optional<std::int64_t> seconds_;  // of a partition; unset for integer indexes
  std::shared_ptr<const TombstoneList> tombstones_;
  std::vector<Cluster> clusters_;
};

CompactReport::Total total_of(const model::SegmentMeta& segment) {
  return {.segments = 1, .rows = segment.row_count, .bytes = segment.file_size.value_or(0)};
}

/// Rewrites what is chosen, as much as the options have room for.
Status merge_some(const Engine& engine, const StatePtr& state, const CompactOptions& options, SegmentRewrite& rewrite,
                  CompactReport& report) {
  MARIGRAM_ASSIGN(const Choice choice, Choice::make(engine, state));
  std::uint64_t bytes = report.before.bytes;
  for (const Merge& merge : options.tiered ? choice.tiered() : choice.all()) {
    if (options.cancel.cancelled()) return fail(ErrorCode::kCancelled, "compaction cancelled");
    if (bytes >= options.bytes) {
      report.more = true;
      return {};
    }
    bytes += merge.bytes();
    if (options.dry_run) {
      for (const SegmentPtr& segment : merge.segments) report.before += total_of(*segment);
    } else {
      MARIGRAM_TRY(rewrite.replace(merge.segments, is_cold(merge.segments), merge.rank));
    }
  }
  return {};
}

/// The table's rows, or a level of that name, if it is still there.
Status compact_part(Engine& engine, const std::string& name, const CompactOptions& options, CompactReport& report) {
  while (true) {
    const StatePtr whole = engine.state();
    const log::Level* const level = whole->find_level(name);
    if (level == nullptr && !name.empty()) return {};
    const StatePtr state = level == nullptr ? whole : level->table;
    MARIGRAM_TRY(require_index(*state));
    SegmentRewrite rewrite(engine, state);
    MARIGRAM_TRY(merge_some(engine, state, options, rewrite, report));
    if (rewrite.empty()) return {};
    MARIGRAM_ASSIGN(const bool committed, rewrite.commit("compact", false));
    if (committed) {
      for (const SegmentPtr& segment : rewrite.old_segments()) report.before += total_of(*segment);
      for (const model::SegmentMeta& segment : rewrite.new_segments()) report.after += total_of(segment);
      return {};
    }
    MARIGRAM_TRY(engine.refresh());
  }
}

}  // namespace

Result<CompactReport> compact(Engine& engine, const CompactOptions& options) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  CompactReport report;
  MARIGRAM_TRY(compact_part(engine, "", options, report));
  for (const std::string& level : level_names(*engine.state())) {
    MARIGRAM_TRY(compact_part(engine, level, options, report));
  }
  report.version = engine.state()->version;
  return report;
}

}  // namespace marigram::table
