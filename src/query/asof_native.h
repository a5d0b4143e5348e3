// As-of joins in native segments: rows are searched and taken where they lie, block by block; of blocks that no probe
// meets nothing is read.
#pragma once

#include "query/asof_source.h"
#include "query/native_segment.h"
#include "segment/native_file.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marigram::query {

/// One thread's view of a segment: keeps the block of each column that it read last. Borrows the segment.
class AsofSegmentRows : public AsofSource {
 public:
  explicit AsofSegmentRows(const NativeSegment& segment);

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

  Stretch rows_of(const SeriesKey& series) const;
  void fetch_ahead(const Stretch& own) const;
  Status find(AsofSide side, std::optional<std::size_t> valid, const Stretch& own, const AsofQuestion& question);
  Result<const Cached*> block(std::size_t column, std::size_t page);
  Result<std::span<const std::int64_t>> times(std::size_t page, const Stretch& own);
  Status find_valid(AsofSide side, std::size_t column, const Stretch& own, const AsofQuestion& question);
  bool has_nulls(std::size_t column, const Stretch& own) const;
  std::int64_t edge(AsofSide side, std::size_t page) const;
  bool take_edge(AsofSide side, std::size_t page, const Stretch& own, std::span<const std::int64_t> bounds,
                 std::span<AsofRow> found) const;
  Result<bool> put_edge(std::size_t column, std::size_t page, const AsofPicks& picks, AsofColumn& to);

  const NativeSegment& segment_;
  std::vector<Cached> cached_;  // one a column of block_columns()
};

}  // namespace marigram::query
