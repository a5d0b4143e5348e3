// Rows of levels that a refresh made, level upon level, in few commits.
#pragma once

#include "coverage/coverage_map.h"
#include "log/action.h"
#include "table/batch_source.h"
#include "table/engine.h"
#include "table/staging.h"

#include <marigram/error.h>

#include <cstdint>
#include <string>
#include <vector>

namespace arrow {
class Schema;
}

namespace marigram::table {

/// What is put is seen in state() at once, so that the next level can be made of it, and by others once it is
/// committed. Not thread-safe.
class LevelWriter {
 public:
  explicit LevelWriter(Engine& engine);

  /// The table with all that was put. Its version is one that no table has while something is not committed.
  const StatePtr& state() const { return state_; }
  /// The version of the rows in it.
  std::uint64_t version() const { return base_->version; }
  /// Whether everything is committed.
  bool empty() const { return changes_.empty(); }
  /// Of levels, that are not committed yet.
  std::uint64_t rows() const { return rows_; }

  /// Puts rows of a level, in its columns, in place of those that it has of the same series and intervals. They were
  /// made of `made_of`, a state() when version() was `version`, and bring the level up to that, but for the buckets
  /// `left`.
  Status put(const StatePtr& made_of, std::uint64_t version, const std::string& level, const arrow::Schema& schema,
             BatchSource& rows, const coverage::CoverageMap& left);
  /// Nothing to commit: nothing happens. kConflict: another one refreshed a level meanwhile, or took one away; then
  /// nothing that was put since the last commit is there.
  Status commit();

 private:
  struct Change {
    StatePtr made_of;
    log::LevelChange level;
  };

  Result<log::Proposal> propose(const log::TableState& now) const;
  void start_anew();

  Engine& engine_;
  StatePtr base_;   // as it is committed
  StatePtr state_;  // that with the changes
  std::vector<Change> changes_;
  StagedFiles files_;
  std::uint64_t rows_ = 0;
};

}  // namespace marigram::table
