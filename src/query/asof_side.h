// One direction of an as-of join: the last row before each probe, or the first after it.
#pragma once

#include "base/thread_pool.h"
#include "query/asof.h"
#include "query/asof_lane.h"
#include "query/asof_native.h"
#include "query/asof_rows.h"
#include "query/asof_times.h"
#include "query/probe_set.h"
#include "query/time_windows.h"

#include <marigram/asof.h>
#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace marigram::query {

/// What all of a join shares. Borrowed.
struct AsofPlan {
  const AsofRequest& request;
  const TableView& table;
  const TimeWindows& windows;
  const NativeSegments& segments;
  const ProbeClock& clock;
  const ProbeSet& probes;
  std::vector<std::string> columns;            // to be read
  std::optional<Distance> tolerance = {};      // in units of the clock
  std::shared_ptr<AsofRows> newer = {};        // that no segment has; null: there are none
  std::vector<std::int64_t> newer_times = {};  // of these, ascending
};

/// The rows of a window that a scan gives: of these series, within the request's bounds.
Result<AsofRows> scan_window(const AsofPlan& plan, std::size_t window, ScanRequest request,
                             const std::vector<const SeriesKey*>& series);
/// Reads the rows of all windows that no segment has.
Status scan_newer(AsofPlan& plan);

/// Window by window: native segments are searched on all threads; of other windows the rows are read first.
class AsofSearch {
 public:
  AsofSearch(const AsofPlan& plan, AsofSide side, std::vector<AsofLane>& lanes, AsofStatistics& statistics);

  /// Each lane takes the rows that probes meet on this side, unless they met a nearer one on the other side before.
  Status run();

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
  /// Works of a window that are done in one go.
  struct Part {
    std::size_t window = 0;
    std::span<const Work> works = {};
  };
  /// Rows for probes, on their way into a lane.
  struct Picks {
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> times;
    std::vector<std::uint32_t> to;

    void add(const AsofRow& row, std::uint32_t probe) {
      rows.push_back(row.row);
      times.push_back(row.time);
      to.push_back(probe);
    }
    void add(std::span<const AsofRow> found, std::span<const std::uint32_t> probes);
    /// Leaves none.
    Status put(AsofSource& source, AsofLane& lane);
  };
  /// Some works that are done together, and what is found.
  struct Batch {
    std::vector<Work> works;
    std::vector<AsofRow> found;
    std::vector<AsofQuestion> questions;
    Picks picks;
  };

  bool before() const { return side_ == AsofSide::kBefore; }
  void set_bounds(const ProbeSet::Stretch& stretch);
  void distribute(const SeriesKey& series, const ProbeSet::Stretch& stretch);
  std::vector<Part> parts() const;
  void miss(std::size_t begin, std::size_t end);
  Status search_part(const Part& part);
  Result<std::span<const NativeSegment>> segments_of(std::size_t window) const;
  Status scan(std::size_t window, const std::vector<Work>& works);
  Status scan_each(const std::function<Status(std::size_t)>& task) const;
  Status search(AsofSource& source, std::size_t window, std::span<const Work> works, std::vector<Pending>& missed);
  Status search(AsofSource& source, std::size_t window, std::size_t lane, Batch& batch, std::vector<Pending>& missed);
  void meet(AsofLane& lane, const Work& work, std::span<const AsofRow> found, Picks& picks);
  bool is_better(const AsofLane& lane, std::size_t probe, const AsofRow& row) const;
  void put_off(std::size_t lane, const Work& missed, std::size_t window, std::vector<Pending>& pending) const;

  Status look_further();
  std::optional<std::int64_t> beyond(std::int64_t limit) const;
  Result<std::optional<std::int64_t>> target(const Pending& pending) const;
  std::optional<std::int64_t> covered(const Pending& pending) const;
  Result<std::optional<std::int64_t>> newer(const Pending& pending) const;
  Status scan_for(std::size_t window, const std::vector<Pending>& pending);
  Status settle(AsofSource& source, std::size_t window, std::span<const Pending> pending);
  Status settle(AsofSource& source, AsofLane& lane, const Work& work, const AsofRow& row, Picks& picks);

  const AsofPlan& plan_;
  const AsofSide side_;
  const bool is_second_;  // the other side was searched before
  std::vector<AsofLane>& lanes_;
  AsofStatistics& statistics_;
  std::span<const std::int64_t> bounds_;            // one a probe
  std::vector<std::int64_t> other_bounds_;          // if they are not the probes' times
  std::vector<std::uint8_t> bounded_;               // and then, 0: no row can be so
  std::map<std::size_t, std::vector<Work>> works_;  // by window
  std::mutex mutex_;
  std::set<std::size_t> to_scan_;  // guarded by mutex_: windows
  std::vector<Pending> pending_;   // guarded by mutex_
  table::CoveragePtr coverage_;
};

}  // namespace marigram::query
