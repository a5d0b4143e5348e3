#include "table/vacuum.h"

#include "base/try.h"
#include "coverage/coverage_map.h"
#include "model/tiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::table {
namespace {

/// 8-4-4-4-12 lower-case hex digits.
bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

/// `<folder><uuid>.parquet` or `.mgs`, as stage_rows names segments.
bool is_our_segment(std::string_view key) {
  const std::size_t dot = std::min(key.rfind('.'), key.size());
  const std::string_view suffix = key.substr(dot);
  if (suffix != ".parquet" && suffix != ".mgs") return false;
  key.remove_suffix(suffix.size());
  for (const std::string_view folder :
       {std::string_view("data/_managed/append/"), std::string_view("data/"), model::kColdFolder}) {
    if (key.starts_with(folder) && is_uuid(key.substr(folder.size()))) return true;
  }
  return false;
}

using Paths = std::set<std::string, std::less<>>;

void collect(const std::vector<log::Action>& actions, const std::vector<model::Tombstone>& tombstones, Paths& paths) {
  for (const log::Action& action : actions) {
    if (const auto* add = std::get_if<log::AddSegment>(&action)) {
      paths.insert(add->segment.path);
      if (add->segment.coverage_path) paths.insert(*add->segment.coverage_path);
    } else if (const auto* coverage = std::get_if<log::UpdateTableCoverage>(&action)) {
      paths.insert(coverage->coverage_path);
    }
  }
  for (const model::Tombstone& tombstone : tombstones) {
    for (std::string& path : tombstone.paths()) paths.insert(std::move(path));
  }
}

void collect(const log::Commit& commit, Paths& paths) {
  const log::Extension extension = commit.extension.value_or(log::Extension{});
  collect(commit.actions, extension.tombstones, paths);
  for (const log::LevelChange& level : extension.levels) {
    collect(level.actions, level.tombstones, paths);
    if (level.pending) paths.insert(*level.pending);
  }
}

/// The oldest version that is kept.
Result<std::uint64_t> oldest_of(const Engine& engine, const History& history) {
  const log::TableState& state = *engine.state();
  if (!history.versions && !history.seconds) return state.oldest;
  std::uint64_t oldest = state.version;
  if (history.versions) oldest = std::min(oldest, state.version - std::min(state.version - 1, *history.versions - 1));
  if (history.seconds) {
    Instant since = engine.environment().clock->now();
    since.seconds -= *history.seconds;
    oldest = std::min(oldest, engine.log().version_at(since, state.version).value_or(1));
  }
  return std::max(oldest, state.oldest);
}

/// Says that older versions cannot be gone back to, before they cannot.
Status give_up_before(Engine& engine, std::uint64_t oldest) {
  if (oldest <= engine.state()->oldest) return {};
  return engine.commit([&](const log::TableState& now) -> Result<log::Proposal> {
    return log::Proposal{
        .actions = {},
        .extension = {.operation = "give_up_history", .oldest = std::max(oldest, now.oldest), .keeps_rollups = true}};
  });
}

}  // namespace

Result<std::set<std::string, std::less<>>> files_of_history(const Engine& engine, std::uint64_t oldest,
                                                            const std::map<std::string, std::uint64_t>& names) {
  std::set<std::uint64_t> whole;
  if (oldest > 1) whole.insert(oldest);
  for (const auto& [name, version] : names) {
    if (version < oldest) whole.insert(version);
  }
  Paths paths;
  for (const std::uint64_t version : whole) {
    MARIGRAM_ASSIGN(const log::TableState state, engine.log().load(version));
    paths.merge(log::files_of(state));
  }
  for (std::uint64_t version = oldest; version <= engine.state()->version; ++version) {
    MARIGRAM_ASSIGN(const log::Commit commit, engine.log().read(version));
    collect(commit, paths);
  }
  return paths;
}

Result<VacuumReport> vacuum(Engine& engine, std::int64_t older_than_seconds, bool dry_run, const History& history) {
  if (older_than_seconds < 0) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot vacuum: older_than is {} s; want 0 or more", older_than_seconds));
  }
  if (history.versions == 0 || history.seconds.value_or(0) < 0) {
    return fail(ErrorCode::kInvalidInput, "cannot vacuum: history is of 1 version or more, of 0 s or more");
  }
  MARIGRAM_TRY(engine.check_writable());
  Instant cutoff = engine.environment().clock->now();
  cutoff.seconds -= older_than_seconds;
  std::vector<io::ObjectInfo> candidates;
  for (const std::string_view folder : {"data", "cold", "_coverage"}) {
    MARIGRAM_ASSIGN(const std::vector<io::ObjectInfo> listed, engine.store().list(folder));
    std::ranges::copy_if(listed, std::back_inserter(candidates), [&](const io::ObjectInfo& info) {
      return info.modified < cutoff && (is_our_segment(info.key) || coverage::hash_in_path(info.key));
    });
  }
  // Listed before the log is read: a file that a commit names by now is kept, however late the commit came.
  MARIGRAM_TRY(engine.refresh());
  MARIGRAM_ASSIGN(const std::uint64_t oldest, oldest_of(engine, history));
  if (!dry_run) MARIGRAM_TRY(give_up_before(engine, oldest));
  MARIGRAM_ASSIGN(const auto referenced, files_of_history(engine, oldest, engine.state()->version_names));

  VacuumReport report{.oldest = oldest};
  const auto note = [&](const io::ObjectInfo& info) {
    ++report.files;
    report.bytes += info.size;
    report.paths.push_back(info.key);
  };
  for (const io::ObjectInfo& info : candidates) {
    if (referenced.contains(info.key)) continue;
    if (!dry_run) {
      MARIGRAM_TRY(engine.store().remove(info.key));
      engine.environment().segments->forget(info.key);
    }
    note(info);
  }
  MARIGRAM_ASSIGN(const auto unfinished, engine.store().sweep_unfinished(cutoff, dry_run));
  std::ranges::for_each(unfinished, note);
  return report;
}

}  // namespace marigram::table
