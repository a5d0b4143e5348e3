#include "table/history.h"

#include "base/hash.h"
#include "base/try.h"
#include "coverage/coverage_map.h"
#include "model/retention.h"
#include "table/coverage_files.h"
#include "table/row_removal.h"
#include "table/staging.h"

#include <marigram/time.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::table {
namespace {

using coverage::CoverageMap;
using Segments = std::map<std::string, SegmentPtr>;

constexpr std::size_t kNameMax = 100;  // bytes

std::unexpected<Error> no_version(const Engine& engine, std::uint64_t version, const log::TableState& now) {
  return fail(ErrorCode::kNotFound,
              fmt::format("cannot use version {} of table {}: it has versions {} to {}, and those that have a name",
                          version, engine.store().name(), now.oldest, now.version));
}

Status check_version(const Engine& engine, std::uint64_t version, const log::TableState& now) {
  const bool is_there = version >= 1 && version <= now.version && !now.has_given_up(version);
  return is_there ? Status() : no_version(engine, version, now);
}

// ---- names ----

bool is_number(std::string_view text) {
  const bool is_word = text.front() > '9';  // inf and nan are none
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !is_word && error != std::errc::invalid_argument && end == text.data() + text.size();
}

bool is_control(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
}

/// Where versions are asked for numbers and times stand for themselves, so that a name must not look like one.
Status check_name(std::string_view name) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot name a version \"{}\": {}; want up to {} bytes of text, such as before-import",
                            name.substr(0, kNameMax), why, kNameMax));
  };
  if (name.empty()) return bad("the name is empty");
  if (name.size() > kNameMax) return bad(fmt::format("the name has {} bytes", name.size()));
  if (std::ranges::any_of(name, is_control)) return bad("it has control characters");
  if (is_number(name)) return bad("it looks like the number of a version");
  if (parse_rfc3339(name)) return bad("it looks like a time");
  return {};
}

using Names = std::map<std::string, std::uint64_t>;

Status change_names(Engine& engine, const std::string& operation,
                    const std::function<Status(const log::TableState&, Names&)>& change) {
  return engine.commit([&](const log::TableState& now) -> Result<log::Proposal> {
    Names names = now.version_names;
    MARIGRAM_TRY(change(now, names));
    log::Proposal proposal{.actions = {}, .extension = {.operation = operation, .keeps_rollups = true}};
    proposal.extension.version_names = std::move(names);
    return proposal;
  });
}

// ---- rows as they were ----

bool has_row_horizons(const model::Retention& retention) {
  return std::ranges::any_of(retention, [](const auto& own) { return own.horizons.contains(model::kRows); });
}

/// Whether the commit made levels tell of rows that are gone, or no more of rows that had gone.
bool moves_what_levels_alone_tell(const log::Commit& commit) {
  if (!commit.extension) return false;
  const log::Extension& extension = *commit.extension;
  if (extension.operation == "truncate") return true;
  if (extension.operation == "remove_rows") return !extension.levels.empty();
  if (extension.operation != "expire" && extension.operation != "merge_late_rows") return false;
  const auto removes = [](const log::Action& action) { return std::holds_alternative<log::RemoveSegment>(action); };
  return !extension.tombstones.empty() || std::ranges::any_of(commit.actions, removes);
}

/// Makes the rows of the newest version those of another.
class Restoration {
 public:
  Restoration(Engine& engine, log::TableState then)
      : engine_(engine), then_(std::move(then)), files_(engine.store()), checked_(then_.version) {}

  Status commit() {
    const Status committed = engine_.commit([&](const log::TableState& now) { return propose(now); });
    files_.keep_after(committed);
    return committed;
  }

  /// Whether the rows are others than those of that version.
  bool changes(const log::TableState& now) const {
    const Segments wanted = segments_for(now);
    const auto same = [&](const auto& left, const auto& right) {
      return left.first == right.first && left.second->rank == right.second->rank;
    };
    const auto names = [](const log::TableState& state) { return std::views::keys(state.tombstones); };
    return !std::ranges::equal(names(now), names(then_)) || !std::ranges::equal(wanted, now.segments, same);
  }

  /// What levels tell of rows that have expired cannot be made again, so that it must be what it was.
  Status check_levels(const log::TableState& now) {
    if (now.levels.empty() || !has_row_horizons(now.retention)) return {};
    for (; checked_ < now.version; ++checked_) {
      MARIGRAM_ASSIGN(const log::Commit commit, engine_.log().read(checked_ + 1));
      if (!moves_what_levels_alone_tell(commit)) continue;
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot restore version {} of table {}: rows expired or were deleted at version {}, and "
                              "rollups alone tell of them; clone version {} to a table of its own instead",
                              then_.version, engine_.store().name(), checked_ + 1, then_.version));
    }
    return {};
  }

 private:
  Result<log::Proposal> propose(const log::TableState& now) {
    MARIGRAM_TRY(check_version(engine_, then_.version, now));
    MARIGRAM_TRY(check_levels(now));
    log::Proposal proposal{.actions = {}, .extension = {.operation = "restore_version"}};
    log::TableState after = now;
    after.segments = segments_for(now);
    after.tombstones = then_.tombstones;
    after.coverage = then_.coverage;
    change_segments(now, after.segments, proposal);
    change_tombstones(now, proposal.extension);
    MARIGRAM_ASSIGN(const CoverageMap covered, load_table_coverage(engine_.store(), after));
    if (!snapshot_.empty() && now.dialect() == Dialect::kV7) files_.remove(snapshot_);  // of a try that lost
    MARIGRAM_ASSIGN(auto coverage, stage_table_coverage(engine_.store(), now, covered, attempt_, files_));
    snapshot_ = coverage.coverage_path;
    proposal.actions.emplace_back(std::move(coverage));
    return proposal;
  }

  /// Those that the version had, as the table knows them now: it may have got tags, and readers of tombstones, since.
  Segments segments_for(const log::TableState& now) const {
    Segments wanted = then_.segments;
    for (auto& [key, segment] : wanted) {
      const auto there = now.segments.find(key);
      const model::SegmentRank rank = rank_for(*segment, now);
      if (there != now.segments.end() && there->second->rank == rank) {
        segment = there->second;
        continue;
      }
      model::SegmentMeta own = *segment;
      own.rank = rank;
      if (now.meta->grows()) model::fill_absent_tags(own.layout, now.meta->index->tags.size());
      segment = std::make_shared<const model::SegmentMeta>(std::move(own));
    }
    return wanted;
  }

  /// Segments from before ranks stand below all that have one; no commit can say 0, and no tombstone hides less than 1.
  static model::SegmentRank rank_for(const model::SegmentMeta& segment, const log::TableState& now) {
    const auto there = now.segments.find(segment.key(now.dialect()));
    if (!now.has_ranks() || segment.rank.rank > 0) return segment.rank;
    if (there != now.segments.end() && there->second->rank.rank <= 1) return there->second->rank;
    return {.rank = 1};
  }

  static void change_segments(const log::TableState& now, const Segments& wanted, log::Proposal& proposal) {
    const auto is_in = [](const Segments& all, const std::string& key, const model::SegmentMeta& segment) {
      const auto found = all.find(key);
      return found != all.end() && found->second->rank == segment.rank;
    };
    for (const auto& [key, segment] : now.segments) {
      if (!is_in(wanted, key, *segment)) proposal.actions.emplace_back(log::RemoveSegment{key});
    }
    for (const auto& [key, segment] : wanted) {
      if (is_in(now.segments, key, *segment)) continue;
      if (now.has_ranks()) proposal.extension.ranks.emplace(segment->path, segment->rank);
      model::SegmentMeta bare = *segment;
      bare.rank = {};
      proposal.actions.emplace_back(log::AddSegment{std::move(bare)});
    }
  }

  void change_tombstones(const log::TableState& now, log::Extension& extension) const {
    for (const auto& [name, tombstone] : now.tombstones) {
      if (!then_.tombstones.contains(name)) extension.dissolved.push_back(name);
    }
    for (const auto& [name, tombstone] : then_.tombstones) {
      if (!now.tombstones.contains(name)) extension.tombstones.push_back(*tombstone);
    }
  }

  Engine& engine_;
  const log::TableState then_;
  StagedFiles files_;
  const std::string attempt_ = random_uuid();
  std::string snapshot_;
  std::uint64_t checked_;  // the last commit of which it is known that levels need not know of it
};

// ---- no rows ----

bool holds_nothing(const log::TableState& table) {
  return table.segments.empty() && table.tombstones.empty();
}

void take_all(const log::TableState& table, std::vector<log::Action>& actions, std::vector<std::string>& dissolved) {
  for (const auto& [key, segment] : table.segments) actions.emplace_back(log::RemoveSegment{key});
  for (const auto& [name, tombstone] : table.tombstones) dissolved.push_back(name);
}

/// Levels tell the truth afterwards: nothing.
log::Proposal propose_nothing(const log::TableState& now) {
  log::Proposal proposal{.actions = {}, .extension = {.operation = "truncate", .keeps_rollups = true}};
  take_all(now, proposal.actions, proposal.extension.dissolved);
  for (const log::Level& level : now.levels) {
    log::LevelChange change{.interval = level.name, .through = now.version};
    take_all(*level.table, change.actions, change.dissolved);
    proposal.extension.levels.push_back(std::move(change));
  }
  return proposal;
}

/// Unset if another writer came first.
Result<std::optional<std::uint64_t>> truncate_state(Engine& engine, const StatePtr& state) {
  MARIGRAM_TRY(require_index(*state));
  const auto is_bare = [](const log::Level& level) { return holds_nothing(*level.table); };
  if (holds_nothing(*state) && std::ranges::all_of(state->levels, is_bare)) return 0;
  MARIGRAM_ASSIGN(CoveragePtr coverage, engine.coverage(*state));
  MARIGRAM_ASSIGN(const std::uint64_t rows, RowRemoval(engine, state, std::move(coverage), {}).find());
  StagedFiles files(engine.store());
  bool lost = false;
  const Status committed = engine.commit([&](const log::TableState& now) -> Result<log::Proposal> {
    lost = now.version != state->version;
    if (lost) return fail(ErrorCode::kConflict, "cannot truncate the table: another writer came first");
    log::Proposal proposal = propose_nothing(now);
    MARIGRAM_ASSIGN(auto bare, stage_table_coverage(engine.store(), now, {}, random_uuid(), files));
    proposal.actions.emplace_back(std::move(bare));
    return proposal;
  });
  files.keep_after(committed);
  if (committed) return rows;
  if (lost) return std::nullopt;
  return std::unexpected(committed.error());
}

}  // namespace

Result<log::TableState> load_at(const log::Log& log, const OpenOptions& at) {
  const auto* const name = std::get_if<std::string>(&at.at);
  if (const auto* const version = std::get_if<std::uint64_t>(&at.at)) return log.load(*version);
  if (const auto* const time = std::get_if<Instant>(&at.at)) return log.load(*time);
  MARIGRAM_ASSIGN(log::TableState newest, log.load());
  if (name == nullptr) return newest;
  const auto named = newest.version_names.find(*name);
  if (named != newest.version_names.end()) return log.load(named->second);
  return fail(ErrorCode::kNotFound, fmt::format("cannot open the table at \"{}\": no version has that name", *name));
}

Result<std::uint64_t> name_version(Engine& engine, std::string_view name, std::uint64_t version) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(check_name(name));
  MARIGRAM_TRY(engine.refresh());
  const StatePtr state = engine.state();
  const auto there = state->version_names.find(std::string(name));
  if (there != state->version_names.end() && there->second == version) return state->version;
  MARIGRAM_TRY(change_names(engine, "name_version", [&](const log::TableState& now, Names& names) -> Status {
    names.insert_or_assign(std::string(name), version);
    return check_version(engine, version, now);
  }));
  return engine.state()->version;
}

Result<std::uint64_t> forget_version_name(Engine& engine, std::string_view name) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(change_names(engine, "forget_version_name", [&](const log::TableState&, Names& names) -> Status {
    if (names.erase(std::string(name)) == 1) return {};
    return fail(ErrorCode::kNotFound, fmt::format("cannot forget the name \"{}\": no version of table {} has it", name,
                                                  engine.store().name()));
  }));
  return engine.state()->version;
}

Result<std::uint64_t> restore_version(Engine& engine, std::uint64_t version) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  MARIGRAM_TRY(check_version(engine, version, *engine.state()));
  MARIGRAM_TRY(require_index(*engine.state()));
  MARIGRAM_ASSIGN(log::TableState then, engine.log().load(version));
  Restoration restoration(engine, std::move(then));
  MARIGRAM_TRY(restoration.check_levels(*engine.state()));
  if (restoration.changes(*engine.state())) MARIGRAM_TRY(restoration.commit());
  return engine.state()->version;
}

Result<std::uint64_t> truncate(Engine& engine) {
  MARIGRAM_TRY(engine.check_writable());
  while (true) {
    MARIGRAM_TRY(engine.refresh());
    MARIGRAM_ASSIGN(const auto rows, truncate_state(engine, engine.state()));
    if (rows) return *rows;
  }
}

}  // namespace marigram::table
