// As-of joins in native segments: rows are searched and taken where they lie, block by block; of blocks that no probe
// meets nothing is read.
#pragma once

#include "model/index.h"
#include "model/schema.h"
#include "query/asof_source.h"
#include "query/asof_windows.h"
#include "segment/native_file.h"
#include "table/engine.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace marigram::query {

/// A native segment that can be read so. Immutable.
class AsofSegment {
 public:
  /// Unset if a column is not there as the table has it: of another type, null where that is not; or if it is a tag.
  static std::optional<AsofSegment> make(std::shared_ptr<const segment::NativeFile> file, const model::Schema& table,
                                         const model::IndexSpec& index, const std::vector<std::string>& columns);

  const segment::NativeFile& file() const { return *file_; }
  /// Among block_columns(); unset if the file lacks it, so that it is null.
  std::optional<std::size_t> block_of(const std::string& column) const { return blocks_.find(column)->second; }
  bool flips() const { return flips_; }
  std::optional<std::size_t> find_series(const SeriesKey& series) const;

 private:
  std::shared_ptr<const segment::NativeFile> file_;
  std::map<std::string, std::optional<std::size_t>> blocks_;
  bool flips_ = false;             // times are unsigned, and compared with their highest bit flipped
  std::vector<std::size_t> tags_;  // of the table, which the file has; the others are empty in it
};

/// The segments of windows that can be read so, opened when they are first asked for. Thread-safe.
class AsofSegments {
 public:
  /// `columns`: that will be read, but for tags and the time. Borrows what it is given.
  AsofSegments(const AsofWindows& windows, const table::Engine& engine, const model::Schema& table,
               const model::IndexSpec& index, const std::vector<std::string>& columns);

  /// That of a window; null if it has not just one, or that must be scanned. kNotFound, kCorruption.
  Result<const AsofSegment*> at(std::size_t window) const;

 private:
  struct Slot {
    std::once_flag once;
    Status status;
    std::optional<AsofSegment> segment;
  };
  void open(const model::SegmentMeta& segment, Slot& slot) const;

  const AsofWindows& windows_;
  const table::Engine& engine_;
  const model::Schema& table_;
  const model::IndexSpec& index_;
  const std::vector<std::string>& columns_;
  std::unique_ptr<Slot[]> slots_;
};

/// One thread's view of it: keeps the block of each column that it read last. Borrows the segment.
class AsofSegmentRows : public AsofSource {
 public:
  explicit AsofSegmentRows(const AsofSegment& segment);

  Status find(AsofSide side, const std::string& valid, std::span<const AsofQuestion> questions) override;
  Status put(const std::string& column, const AsofPicks& picks, AsofColumn& to) override;

 private:
  struct Cached {
    std::optional<std::size_t> page;
    segment::BlockView view;
    std::vector<std::int64_t> flipped;
  };
  /// Rows of one series.
  struct Stretch {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    bool empty() const { return begin == end; }
  };

  std::size_t page_of(std::uint64_t row) const;
  Stretch rows_of(const SeriesKey& series) const;
  void fetch_ahead(const Stretch& own) const;
  Status find(AsofSide side, std::optional<std::size_t> valid, const Stretch& own, const AsofQuestion& question);
  Result<const Cached*> block(std::size_t column, std::size_t page);
  Result<std::span<const std::int64_t>> times(std::size_t page, const Stretch& own);
  Status find_valid(AsofSide side, std::size_t column, const Stretch& own, const AsofQuestion& question);
  bool has_nulls(std::size_t column, const Stretch& own) const;
  std::int64_t edge(AsofSide side, std::size_t page) const;

  const AsofSegment& segment_;
  std::vector<Cached> cached_;  // one a column of block_columns()
};

}  // namespace marigram::query
