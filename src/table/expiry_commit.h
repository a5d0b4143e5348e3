// The commit by which what is old of some series goes: rows, rows of levels, and what levels become by rows that came
// too late for them.
#pragma once

#include "log/log.h"
#include "model/retention.h"
#include "table/engine.h"
#include "table/row_removal.h"
#include "table/staging.h"

#include <marigram/error.h>
#include <marigram/retention.h>
#include <marigram/time.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::table {

/// Of one class of one version's retention. Not thread-safe.
class ExpiryCommit {
 public:
  ExpiryCommit(Engine& engine, StatePtr state, std::size_t series_class);

  /// Everything of that name (model::kRows, or a level's) before `to` is to go. Once a name.
  Status remove(std::string_view name, Instant to);
  /// Rows that a level gets, in segments that are among files().
  void add(log::LevelChange level);
  /// For those that are named.
  void move_horizons(const model::ByKept<Instant>& horizons);

  StagedFiles& files() { return files_; }
  /// What goes; without the version.
  const ExpiryReport& report() const { return report_; }

  /// False, and nothing is there, if another writer changed what it goes by: took away segments, deleted rows, wrote
  /// levels, chose what is kept. Rows that come meanwhile stay.
  Result<bool> commit(const std::string& operation);

 private:
  struct Removal {
    std::string name;
    Instant to;
    RowRemoval rows;
  };

  Status stage(Removal& removal);
  log::LevelChange& level(std::string_view name);
  bool is_lost(const log::TableState& now) const;
  Result<coverage::CoverageMap> coverage_after(const log::TableState& now) const;

  Engine& engine_;
  StatePtr state_;
  std::size_t series_class_;
  model::SeriesSet series_;
  StagedFiles files_;
  log::Proposal proposal_;
  std::vector<Removal> removals_;
  coverage::CoverageMap emptied_;
  ExpiryReport report_;
};

}  // namespace marigram::table
