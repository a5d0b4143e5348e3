// Native segments as queries read them: in place, block by block.
#pragma once

#include "model/index.h"
#include "model/schema.h"
#include "query/time_windows.h"
#include "segment/native_file.h"
#include "table/engine.h"
#include "table/hidden_rows.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {

/// A native segment whose columns are as the table has them, so that values can be taken as they lie. Immutable.
class NativeSegment {
 public:
  /// Unset if a column is not there as the table has it: of another type, null where that is not; or if it is a tag.
  static std::optional<NativeSegment> make(std::shared_ptr<const segment::NativeFile> file, const model::Schema& table,
                                           const model::IndexSpec& index, const std::vector<std::string>& columns);

  const segment::NativeFile& file() const { return *file_; }
  /// Among block_columns(); unset if the file lacks it, so that it is null.
  std::optional<std::size_t> block_of(const std::string& column) const { return blocks_.find(column)->second; }
  bool flips() const { return flips_; }
  /// A series as the table has it: with "" for tags that the file lacks.
  SeriesKey key(std::size_t series) const;
  const SeriesKey& first_key() const { return first_key_; }
  const SeriesKey& last_key() const { return last_key_; }
  std::optional<std::size_t> find_series(const SeriesKey& series) const;
  /// The first series from this one on, or their number.
  std::size_t lower_bound(const SeriesKey& series) const;
  /// Rows that tombstones hide; null: none.
  const std::shared_ptr<const table::HiddenRows>& hidden() const { return hidden_; }
  void hide(std::shared_ptr<const table::HiddenRows> rows) { hidden_ = std::move(rows); }
  /// The time of the first row, or the last, as times of as-of joins (asof_times.h).
  std::int64_t first_time() const;
  std::int64_t last_time() const;

 private:
  std::shared_ptr<const segment::NativeFile> file_;
  std::map<std::string, std::optional<std::size_t>> blocks_;
  bool flips_ = false;             // times are unsigned, and compared with their highest bit flipped
  std::vector<std::size_t> tags_;  // of the table, which the file has; the others are empty in it
  std::size_t table_tags_ = 0;     // how many the table has
  std::shared_ptr<const table::HiddenRows> hidden_;
  SeriesKey first_key_;
  SeriesKey last_key_;
};

/// The segments of windows that hold their rows one behind the other, opened when they are first asked for.
/// Thread-safe.
class NativeSegments {
 public:
  /// `columns`: that will be read, but for tags and the time. Borrows what it is given.
  NativeSegments(const TimeWindows& windows, const TableView& table, const std::vector<std::string>& columns);

  /// Those of a window, so that each ends before the next begins, in order of series and time; none if there is no such
  /// order, or if one must be scanned. kNotFound, kCorruption.
  Result<std::span<const NativeSegment>> at(std::size_t window) const;

 private:
  struct Slot {
    std::once_flag once;
    Status status;
    std::vector<NativeSegment> segments;
  };
  Status open(const table::Cluster& cluster, Slot& slot) const;

  const TimeWindows& windows_;
  const TableView& table_;
  const std::vector<std::string>& columns_;
  std::unique_ptr<Slot[]> slots_;
};

}  // namespace marigram::query
