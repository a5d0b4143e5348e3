#include "table/level_writer.h"

#include "base/hash.h"
#include "base/try.h"
#include "table/rollups.h"

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <utility>

namespace marigram::table {
namespace {

/// Versions that no table comes to. Each is given once, because the engine remembers things by version.
std::uint64_t next_imagined_version() {
  static std::atomic<std::uint64_t> last = std::uint64_t{1} << 62U;
  return last += 2;
}

/// The state as it would be behind that change alone.
Result<StatePtr> with_change(const log::TableState& state, const log::LevelChange& level) {
  auto changed = std::make_shared<log::TableState>(state);
  const std::uint64_t version = next_imagined_version();
  changed->version = version - 1;
  log::Commit commit{.version = version, .timestamp = state.timestamp, .extension = log::Extension{}};
  commit.extension->levels.push_back(level);
  MARIGRAM_TRY(log::apply(*changed, std::move(commit)));
  return changed;
}

}  // namespace

LevelWriter::LevelWriter(Engine& engine) : engine_(engine), files_(engine.store()) {
  start_anew();
}

void LevelWriter::start_anew() {
  base_ = engine_.state();
  state_ = base_;
  changes_.clear();
  rows_ = 0;
}

Status LevelWriter::put(const StatePtr& made_of, std::uint64_t version, const std::string& level,
                        const arrow::Schema& schema, BatchSource& rows, const coverage::CoverageMap& left) {
  const std::string attempt = random_uuid();
  log::LevelChange change{.interval = level, .through = version};
  MARIGRAM_ASSIGN(change.actions, stage_level(engine_, made_of, level, schema, rows, attempt, files_));
  if (!left.empty()) {
    MARIGRAM_ASSIGN(change.pending, stage_coverage(engine_.store(), *made_of, left, attempt, files_));
  }
  for (const log::Action& action : change.actions) rows_ += std::get<log::AddSegment>(action).segment.row_count;
  MARIGRAM_ASSIGN(state_, with_change(*state_, change));
  changes_.push_back({.made_of = made_of, .level = std::move(change)});
  return {};
}

Result<log::Proposal> LevelWriter::propose(const log::TableState& now) const {
  log::Proposal proposal{.actions = {}, .extension = {.operation = "refresh_rollups"}};
  for (const Change& change : changes_) {
    const std::string& name = change.level.interval;
    const log::Level* const newest = now.find_level(name);
    const log::Level* const before = base_->find_level(name);
    const bool is_same = newest != nullptr && newest->through == before->through && newest->pending == before->pending;
    if (!is_same || !may_write_levels(now, *change.made_of)) {
      return fail(ErrorCode::kConflict,
                  fmt::format("cannot refresh level {}: another writer did, or took something away", name));
    }
    proposal.extension.levels.push_back(change.level);
  }
  return proposal;
}

Status LevelWriter::commit() {
  if (changes_.empty()) return {};
  const Status committed = engine_.commit([this](const log::TableState& now) { return propose(now); });
  files_.keep_after(committed);
  start_anew();
  return committed;
}

}  // namespace marigram::table
