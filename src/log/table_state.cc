#include "log/table_state.h"

#include "base/interval_text.h"
#include "base/try.h"
#include "log/apply_commit.h"
#include "model/index.h"
#include "model/rollup.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace marigram::log {
namespace {

using model::TypeId;

std::unexpected<Error> wrong(std::string what) {
  return fail(ErrorCode::kCorruption, std::move(what));
}

Status check_features(const char* who, const std::set<std::string>& had, const std::set<std::string>& has) {
  std::vector<std::string> dropped;
  std::ranges::set_difference(had, has, std::back_inserter(dropped));
  if (dropped.empty()) return {};
  return wrong(fmt::format("it drops the required {} features {}", who, fmt::join(dropped, ", ")));
}

/// v7: columns are only ever added at the end, nullable, and with the feature that says so.
Status check_columns(const model::TableMeta& now, const model::TableMeta& next) {
  if (!now.schema) return {};
  if (!next.schema) return wrong("it takes the table's schema away");
  const auto& had = now.schema->columns;
  const auto& has = next.schema->columns;
  if (has.size() < had.size() || !std::equal(had.begin(), had.end(), has.begin())) {
    return wrong("it changes or removes columns that the table has");
  }
  if (now.schema->metadata != next.schema->metadata) return wrong("it changes the schema's metadata");
  if (has.size() == had.size()) return {};
  if (!next.reader_features.contains("schema_add_columns")) {
    return wrong("it adds columns without the reader feature schema_add_columns");
  }
  for (std::size_t i = had.size(); i < has.size(); ++i) {
    if (!has[i].nullable) return wrong(fmt::format("it adds column \"{}\", which is not nullable", has[i].name));
  }
  return {};
}

bool fits_index(const model::IndexKind& kind, const model::DataType& type) {
  constexpr TypeId kTypes[] = {TypeId::kTimestamp, TypeId::kInt64, TypeId::kUInt64};
  return type.id == kTypes[kind.index()];
}

/// The type of a tag's values as an alternative of TagValue.
std::optional<std::size_t> tag_alternative(const model::DataType& type) {
  constexpr TypeId kTypes[] = {TypeId::kUtf8, TypeId::kInt32, TypeId::kInt64, TypeId::kUInt64};
  const auto* found = std::ranges::find(kTypes, type.id);
  if (found == std::end(kTypes)) return std::nullopt;
  return static_cast<std::size_t>(found - std::begin(kTypes));
}

/// v7: the index stays as it is, but for tags at its end where the table grows.
Status check_index(const model::TableMeta& now, const model::TableMeta& next) {
  if (now.index == next.index) return {};
  if (!now.index || !next.index || !next.grows()) return wrong("it changes the table's index");
  const std::size_t had = now.index->tags.size();
  model::IndexSpec before = *next.index;
  before.tags.resize(std::min(had, before.tags.size()));
  if (before != *now.index) return wrong("it changes the table's index, to which tags may be added alone");
  for (std::size_t i = had; i < next.index->tags.size(); ++i) {
    const std::string& tag = next.index->tags[i];
    if (now.schema && now.schema->find(tag) != nullptr) return wrong(fmt::format("it makes column \"{}\" a tag", tag));
  }
  return {};
}

/// v7: the schema has the index and the tags, of types that serve.
Status check_keys(const model::TableMeta& meta) {
  if (!meta.schema || !meta.index) return {};
  const model::Column* column = meta.schema->find(meta.index->column);
  if (column == nullptr || !fits_index(meta.index->kind, column->type)) {
    return wrong(fmt::format("the schema has {}; the table wants column \"{}\" as its index, of {}",
                             column == nullptr ? "no such column" : model::format_type(column->type),
                             meta.index->column, model::index_kind_name(meta.index->kind)));
  }
  for (const std::string& tag : meta.index->tags) {
    const model::Column* found = meta.schema->find(tag);
    if (found == nullptr) return wrong(fmt::format("the schema lacks tag column \"{}\"", tag));
    if (meta.grows() && (found->type.id != TypeId::kUtf8 || !found->nullable)) {
      return wrong(fmt::format("tag column \"{}\" is {}, want nullable strings in a table that grows", tag,
                               found->nullable ? model::format_type(found->type) : "not nullable"));
    }
    if (tag_alternative(found->type)) continue;
    return wrong(fmt::format("tag column \"{}\" is of type {}, want string, int32, int64 or uint64", tag,
                             model::format_type(found->type)));
  }
  return {};
}

Status check_meta(const model::TableMeta* now, const model::TableMeta& next) {
  if (now != nullptr && now->dialect != next.dialect) return wrong("it changes the table's dialect");
  if (next.dialect == Dialect::kV1) return {};  // the last one wins, whatever it says
  if (now != nullptr) {
    MARIGRAM_TRY(check_features("reader", now->reader_features, next.reader_features));
    MARIGRAM_TRY(check_features("writer", now->writer_features, next.writer_features));
    MARIGRAM_TRY(check_index(*now, next));
  }
  MARIGRAM_TRY(check_keys(next));
  return now != nullptr ? check_columns(*now, next) : Status{};
}

/// v7: a table without tags has "NotApplicable", one with tags the rest, with values of the columns' types.
Status check_layout(const model::TableMeta& meta, const model::SegmentMeta& segment) {
  const auto& tags = meta.index->tags;
  const auto* series = std::get_if<SeriesKey>(&segment.layout);
  if (series == nullptr) {
    if (std::holds_alternative<model::NoSeries>(segment.layout) == tags.empty()) return {};
    return wrong(
        fmt::format("segment {} has an entity layout that does not fit a table of {} tags", segment.path, tags.size()));
  }
  if (series->size() != tags.size()) {
    return wrong(fmt::format("segment {} names {} tag values; want {}", segment.path, series->size(), tags.size()));
  }
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const model::Column* column = meta.schema->find(tags[i]);
    if (column != nullptr && tag_alternative(column->type) == (*series)[i].index()) continue;
    return wrong(fmt::format("segment {} has a value of another type for tag \"{}\"", segment.path, tags[i]));
  }
  return {};
}

/// A v1 pointer does not say the time zone, which plays no part in coverage.
Status check_coverage(const model::TableMeta& meta, const UpdateTableCoverage& coverage) {
  if (!meta.index) return {};
  bool fits = coverage.index_kind == meta.index->kind;
  if (meta.dialect == Dialect::kV1) {
    const auto* has = std::get_if<model::TimestampIndex>(&coverage.index_kind);
    const auto* want = std::get_if<model::TimestampIndex>(&meta.index->kind);
    fits = has != nullptr && want != nullptr && has->bucket == want->bucket;
  }
  if (fits) return {};
  return wrong(fmt::format("table coverage {} has buckets of {}, the table has {}", coverage.coverage_path,
                           model::format_bucket(coverage.index_kind), model::format_bucket(meta.index->kind)));
}

/// The metadata after the commit's own; null: none yet.
Result<const model::TableMeta*> last_meta(const TableState& state, const Commit& commit) {
  const model::TableMeta* meta = state.meta ? &*state.meta : nullptr;
  for (const Action& action : commit.actions) {
    const auto* update = std::get_if<UpdateTableMeta>(&action);
    if (update == nullptr) continue;
    MARIGRAM_TRY(check_meta(meta, update->meta));
    meta = &update->meta;
  }
  return meta;
}

/// v7: a path is added only while it is not live. Changes of this commit are followed in their order.
Status check_live(const TableState& state, const std::vector<Action>& actions) {
  std::map<std::string, bool, std::less<>> changed;
  for (const Action& action : actions) {
    if (const auto* add = std::get_if<AddSegment>(&action)) {
      const auto [found, first] = changed.try_emplace(add->segment.path, true);
      if (first ? state.segments.contains(add->segment.path) : found->second) {
        return wrong(fmt::format("segment {} is in the table already", add->segment.path));
      }
      found->second = true;
    } else if (const auto* remove = std::get_if<RemoveSegment>(&action)) {
      changed.insert_or_assign(remove->key, false);
    }
  }
  return {};
}

/// The policy on duplicates comes with the first commit and stays; whoever does not know of it is told by a feature.
Status check_duplicates(const TableState& state, const Commit& commit, const model::TableMeta& meta) {
  const Duplicates said = commit.extension ? commit.extension->duplicates : Duplicates::kReject;
  const Duplicates policy = state.version == 0 ? said : state.duplicates;
  if (said != Duplicates::kReject && said != policy) return wrong("it changes the table's policy on duplicates");
  const bool declared = policy != Duplicates::kReject;
  if (meta.reader_features.contains(kDuplicatesFeature) == declared &&
      meta.writer_features.contains(kDuplicatesFeature) == declared) {
    return {};
  }
  return wrong(fmt::format("the table's policy on duplicates and its feature {} do not fit", kDuplicatesFeature));
}

/// Native segments are there only where a feature tells of them.
Status check_formats(const Commit& commit, const model::TableMeta& meta) {
  if (meta.requires_feature(kNativeFeature)) return {};
  const auto is_native = [](const Action& action) {
    const auto* add = std::get_if<AddSegment>(&action);
    return add != nullptr && add->segment.format == SegmentFormat::kNative;
  };
  const bool chosen = commit.extension && commit.extension->segments == SegmentFormat::kNative;
  if (!chosen && std::ranges::none_of(commit.actions, is_native)) return {};
  return wrong(fmt::format("it brings native segments to a table without the feature {}", kNativeFeature));
}

/// Tags that a tombstone, or a class of series, goes by.
Status check_predicates(const std::vector<TagPredicate>& predicates, const model::IndexSpec& index,
                        std::string_view who) {
  for (const TagPredicate& predicate : predicates) {
    if (std::ranges::find(index.tags, predicate.column) != index.tags.end()) continue;
    return wrong(fmt::format("{} asks for column \"{}\", which is no tag", who, predicate.column));
  }
  return {};
}

/// Of a table with times, whose series can be told apart.
Status check_retention(const model::TableMeta& meta, const model::Retention& retention) {
  if (!retention.empty() && !model::can_keep_rollups(meta)) {
    return wrong("it keeps rows for a time in a table that has no times, or is of version 1");
  }
  for (const model::RetentionClass& own : retention) {
    MARIGRAM_TRY(check_predicates(own.where, *meta.index, "a class of what is kept for a time"));
  }
  return {};
}

/// Tombstones hide rows that were there before, at `version`, in tables whose readers know of them.
Status check_tombstones(const TableState& state, const std::vector<model::Tombstone>& tombstones,
                        const model::TableMeta& meta, std::uint64_t version) {
  if (tombstones.empty()) return {};
  if (!meta.requires_feature(kTombstonesFeature) || !meta.index) {
    return wrong(fmt::format("it brings tombstones to a table without the feature {}", kTombstonesFeature));
  }
  for (const model::Tombstone& tombstone : tombstones) {
    const std::string& name = tombstone.touched_path;
    if (state.tombstones.contains(name)) return wrong(fmt::format("tombstone {} is in the table already", name));
    if (tombstone.rank < 1 || tombstone.rank > version) {
      return wrong(fmt::format("tombstone {} has rank {}; want 1 to {}", name, tombstone.rank, version));
    }
    for (const auto& bound : {tombstone.from, tombstone.to}) {
      if (bound && !model::value_matches(meta.index->kind, *bound)) {
        return wrong(fmt::format("tombstone {} has bound {}, want a {} value", name, format_index_value(*bound),
                                 model::index_kind_name(meta.index->kind)));
      }
    }
    MARIGRAM_TRY(check_predicates(tombstone.where, *meta.index, "tombstone " + name));
    for (const auto& others : tombstone.except) {
      MARIGRAM_TRY(check_predicates(others, *meta.index, "tombstone " + name));
    }
  }
  return {};
}

/// A later commit must not stand below the segments of an earlier one.
Status check_rank(const std::optional<std::uint64_t>& rank, std::uint64_t least, std::uint64_t version) {
  if (!rank || (*rank >= least && *rank <= version)) return {};
  return wrong(fmt::format("its segments have rank {}; want {} to {}", *rank, least, version));
}
/// 0: where a segment stood before it mattered.
Status check_ranks(const std::map<std::string, model::SegmentRank>& ranks, std::uint64_t version) {
  for (const auto& [path, rank] : ranks) MARIGRAM_TRY(check_rank(rank.rank, 0, version));
  return {};
}

/// Cold segments lie elsewhere only where a feature tells of it; names are of versions that are there.
Status check_storage(const TableState& state, const Extension& extension, const model::TableMeta& meta) {
  if (extension.tiers && !extension.tiers->cold_root.empty() && !meta.requires_feature(kColdRootFeature)) {
    return wrong(fmt::format("it puts cold segments elsewhere without the feature {}", kColdRootFeature));
  }
  if (!extension.version_names) return {};
  for (const auto& [name, version] : *extension.version_names) {
    if (version > state.version) return wrong(fmt::format("version {} of name \"{}\" is not there", version, name));
  }
  return {};
}

/// What a commit does to a level is what it would do to a table. Null: the level is new.
Status check_level(const TableState& state, const TableState* table, const Commit& commit, const LevelChange& change,
                   const model::TableMeta& meta) {
  MARIGRAM_TRY(check_rank(change.rank, 1, commit.version));
  MARIGRAM_TRY(check_ranks(change.ranks, commit.version));
  MARIGRAM_TRY(check_tombstones(table == nullptr ? TableState{} : *table, change.tombstones, meta, state.version));
  for (const Action& action : change.actions) {
    const auto* add = std::get_if<AddSegment>(&action);
    if (add != nullptr) MARIGRAM_TRY(check_segment(meta, add->segment));
  }
  if (change.pending && !change.through) return wrong("it says what a level lacks, and not of which version");
  if (change.through.value_or(0) > state.version) {
    return wrong(fmt::format("a level is to be of version {}; want one before the commit", *change.through));
  }
  return check_live(table == nullptr ? TableState{} : *table, change.actions);
}

Status check_levels(const TableState& state, const Commit& commit, const model::TableMeta& meta) {
  if (!commit.extension) return {};
  const Extension& extension = *commit.extension;
  const model::RollupSpec& spec = extension.rollups ? *extension.rollups : state.rollups;
  if (!spec.empty() && !model::can_keep_rollups(meta))
    return wrong("it keeps rollups of a table that has no times, or is of version 1");
  for (const LevelChange& change : extension.levels) {
    const auto named = [&](const Interval& interval) { return format_interval(interval) == change.interval; };
    const auto interval = std::ranges::find_if(spec.intervals, named);
    if (interval == spec.intervals.end()) return wrong(fmt::format("there is no level {}", change.interval));
    const Level* const level = keeps_levels(state.rollups, spec) ? state.find_level(change.interval) : nullptr;
    if (level != nullptr && change.through && *change.through < level->through) {
      return wrong(
          fmt::format("level {} is of version {} and is to be of {}", level->name, level->through, *change.through));
    }
    MARIGRAM_TRY(check_level(state, level == nullptr ? nullptr : level->table.get(), commit, change,
                             model::level_meta(meta, spec, *interval)));
  }
  return {};
}

Status check_actions(const TableState& state, const Commit& commit) {
  if (commit.version != state.version + 1) return wrong(fmt::format("the table is at version {}", state.version));
  MARIGRAM_ASSIGN(const model::TableMeta* meta, last_meta(state, commit));
  if (meta == nullptr) return wrong("the table has no metadata");
  if (commit.dialect && commit.dialect != meta->dialect) return wrong("it is of another dialect than the table");
  MARIGRAM_TRY(check_duplicates(state, commit, *meta));
  MARIGRAM_TRY(check_formats(commit, *meta));
  if (commit.extension) {
    MARIGRAM_TRY(check_rank(commit.extension->rank, 1, commit.version));
    MARIGRAM_TRY(check_ranks(commit.extension->ranks, commit.version));
    MARIGRAM_TRY(check_storage(state, *commit.extension, *meta));
    MARIGRAM_TRY(check_tombstones(state, commit.extension->tombstones, *meta, state.version));
    const std::uint64_t oldest = commit.extension->oldest.value_or(state.oldest);
    if (oldest < state.oldest || oldest > std::max<std::uint64_t>(state.version, 1)) {
      return wrong(fmt::format("it gives up versions before {}; want {} to {}", oldest, state.oldest, state.version));
    }
    if (commit.extension->retention) MARIGRAM_TRY(check_retention(*meta, *commit.extension->retention));
  }
  MARIGRAM_TRY(check_levels(state, commit, *meta));
  for (const Action& action : commit.actions) {
    if (const auto* add = std::get_if<AddSegment>(&action)) {
      MARIGRAM_TRY(check_segment(*meta, add->segment));
    } else if (const auto* coverage = std::get_if<UpdateTableCoverage>(&action)) {
      MARIGRAM_TRY(check_coverage(*meta, *coverage));
    } else if (std::holds_alternative<UnknownAction>(action) && meta->dialect == Dialect::kV1) {
      return fail(ErrorCode::kInvalidInput,
                  "the table needs a newer version of marigram: it has an action that tables of "
                  "format_version 1 do not have");
    }
  }
  return meta->dialect == Dialect::kV7 ? check_live(state, commit.actions) : Status{};
}

}  // namespace

Status check_segment(const model::TableMeta& meta, const model::SegmentMeta& segment) {
  if (segment.id.empty() != (meta.dialect == Dialect::kV7)) {
    return wrong(fmt::format("segment {} is of the other dialect", segment.path));
  }
  if (!meta.index) return {};
  if (!model::value_matches(meta.index->kind, segment.min) || !model::value_matches(meta.index->kind, segment.max) ||
      segment.max < segment.min) {
    return wrong(fmt::format("segment {} has bounds {} and {}, want two {} values in order", segment.path,
                             format_index_value(segment.min), format_index_value(segment.max),
                             model::index_kind_name(meta.index->kind)));
  }
  if (meta.dialect == Dialect::kV1) return {};
  if (!meta.schema) return wrong(fmt::format("segment {} is added to a table without a schema", segment.path));
  return check_layout(meta, segment);
}

Status check(const TableState& state, const Commit& commit) {
  auto checked = check_actions(state, commit);
  if (!checked) {
    checked.error().message = fmt::format("cannot apply commit {}: {}", commit.version, checked.error().message);
  }
  return checked;
}

Status apply(TableState& state, Commit commit) {
  MARIGRAM_TRY(check(state, commit));
  apply_commit(state, std::move(commit));
  return {};
}

bool TableState::has_given_up(std::uint64_t of) const {
  const auto is_named = [&](const auto& name) { return name.second == of; };
  return of < oldest && std::ranges::none_of(version_names, is_named);
}

const Level* TableState::find_level(std::string_view name) const {
  const auto found = std::ranges::find(levels, name, &Level::name);
  return found == levels.end() ? nullptr : &*found;
}

void TableState::add(model::Tombstone tombstone) {
  auto held = std::make_shared<const model::Tombstone>(std::move(tombstone));
  tombstones.emplace(held->touched_path, held);
}

std::set<std::string, std::less<>> files_of(const TableState& state) {
  std::set<std::string, std::less<>> paths;
  for (const auto& [key, segment] : state.segments) {
    paths.insert(segment->path);
    if (segment->coverage_path) paths.insert(*segment->coverage_path);
  }
  if (state.coverage) paths.insert(state.coverage->path);
  for (const auto& [name, tombstone] : state.tombstones) {
    for (std::string& path : tombstone->paths()) paths.insert(std::move(path));
  }
  for (const Level& level : state.levels) {
    paths.merge(files_of(*level.table));
    if (level.pending) paths.insert(*level.pending);
  }
  for (const ChangedRows& change : state.changed) paths.insert(change.coverage_path);
  return paths;
}

std::vector<std::shared_ptr<const model::SegmentMeta>> ordered_segments(const TableState& state) {
  std::vector<std::shared_ptr<const model::SegmentMeta>> segments;
  segments.reserve(state.segments.size());
  for (const auto& [key, segment] : state.segments) segments.push_back(segment);
  // They come in key order, and stable sorting keeps it among equals.
  std::ranges::stable_sort(
      segments, [](const auto& a, const auto& b) { return std::tie(a->min, a->max) < std::tie(b->min, b->max); });
  return segments;
}

}  // namespace marigram::log
