// One direction of an as-of join: the last row before each probe, or the first after it.
#pragma once

#include "query/asof.h"
#include "query/asof_lane.h"
#include "query/asof_times.h"
#include "query/asof_windows.h"
#include "query/probe_set.h"

#include <marigram/asof.h>
#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace marigram::query {

/// What all of a join shares. Borrowed.
struct AsofPlan {
  const AsofRequest& request;
  const AsofSnapshot& snapshot;
  const AsofWindows& windows;
  const IndexUnits& units;
  const ProbeClock& clock;
  const ProbeSet& probes;
  const model::IndexSpec& index;
  std::vector<std::string> columns;        // to be read
  std::optional<Distance> tolerance = {};  // in units of the clock
};

class AsofSearch {
 public:
  AsofSearch(const AsofPlan& plan, AsofSide side, std::vector<AsofLane>& lanes, AsofStatistics& statistics);

  /// For each lane the matches of ProbeSet::times(), which may be farther away than the tolerance.
  Result<std::vector<std::vector<AsofMatch>>> run();

 private:
  /// Probes of a series that look into one window.
  struct Work {
    const SeriesKey* series = nullptr;
    std::size_t begin = 0;  // of ProbeSet::times()
    std::size_t end = 0;
  };
  /// Probes of a lane that met no row so far: their row, if there is one, is beyond `limit`.
  struct Pending {
    std::size_t lane = 0;
    Work work = {};
    std::int64_t limit = 0;  // rows are before it, or behind it
  };

  bool before() const { return side_ == AsofSide::kBefore; }
  void set_bounds();
  std::map<std::size_t, std::vector<Work>> distribute() const;
  Status search(std::size_t window, const std::vector<Work>& works);
  void match(const AsofRows& rows, std::size_t lane, const Work& work, std::size_t window);
  void put_off(std::size_t lane, const Work& missed, std::size_t window);

  Status read_newer();
  Status look_further();
  std::optional<std::int64_t> beyond(std::int64_t limit) const;
  std::size_t nearest_row(const SeriesTimes& own, std::int64_t limit) const;
  std::optional<std::int64_t> target(const Pending& pending) const;
  std::optional<std::int64_t> covered(const Pending& pending) const;
  std::optional<std::int64_t> newer(const Pending& pending) const;
  Status look_into(std::size_t window, std::vector<Pending>& pending);
  void settle(const AsofRows& rows, std::size_t window, const Pending& pending);
  Result<AsofRows> load(std::size_t window, ScanRequest request, const std::vector<const SeriesKey*>& series) const;

  const AsofPlan& plan_;
  AsofSide side_;
  std::vector<AsofLane>& lanes_;
  AsofStatistics& statistics_;
  std::vector<std::int64_t> bounds_;   // one a probe
  std::vector<std::uint8_t> bounded_;  // 0: no row can be so
  std::vector<std::vector<AsofMatch>> matches_;
  std::vector<Pending> pending_;
  std::optional<AsofRows> newer_;  // rows that no segment has
  table::CoveragePtr coverage_;
};

}  // namespace marigram::query
