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

  Status find(AsofSide side, const std::string& valid, std::span<const AsofTarget> columns,
              std::span<const AsofQuestion> questions) override;
  Status put(std::span<const AsofTarget> columns, const AsofPicks& picks) override;

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

  using Block = std::optional<std::size_t>;  // of block_columns(); unset: the file has none, so that all is null

  Stretch rows_of(const SeriesKey& series) const;
  void fetch_ahead(const Stretch& own) const;
  std::vector<Block> blocks_of(std::span<const AsofTarget> columns) const;
  Status find(AsofSide side, const std::vector<Block>& columns, const Stretch& own, const AsofQuestion& question);
  std::size_t page_of(AsofSide side, std::int64_t bound, std::size_t first, std::size_t last) const;
  Status fetch_from(const std::vector<Block>& columns, std::size_t page, std::uint64_t first);
  Result<const Cached*> block(std::size_t column, std::size_t page);
  Result<std::span<const std::int64_t>> times(std::size_t page, const Stretch& own);
  template <typename Add>
  Result<bool> for_valid(std::size_t column, std::size_t page, const Stretch& own, Add add);
  Status find_valid(AsofSide side, std::size_t column, const Stretch& own, const AsofQuestion& question);
  bool has_nulls(std::size_t column, const Stretch& own) const;
  std::int64_t edge(AsofSide side, std::size_t page) const;
  bool take_edge(AsofSide side, std::size_t page, const Stretch& own, std::span<const std::int64_t> bounds,
                 std::span<AsofRow> found) const;
  Status put(Block column, std::size_t page, const AsofPicks& picks, AsofColumn& to);
  Result<bool> put_edge(std::size_t column, std::size_t page, const AsofPicks& picks, AsofColumn& to);

  const NativeSegment& segment_;
  std::vector<Cached> cached_;    // one a column of block_columns()
  std::vector<CellFetch> fetch_;  // of the page that is searched
};

/// One thread's view of the segments of a window, which follow one another (NativeSegments::at). Borrows them.
class AsofChain : public AsofSource {
 public:
  explicit AsofChain(std::span<const NativeSegment> segments);

  Status find(AsofSide side, const std::string& valid, std::span<const AsofTarget> columns,
              std::span<const AsofQuestion> questions) override;
  Status put(std::span<const AsofTarget> columns, const AsofPicks& picks) override;

 private:
  struct Link {
    AsofSegmentRows rows;
    std::int64_t begin = 0;  // of its rows, among those of the window
    std::int64_t end = 0;
  };

  std::span<Link> links_of(const SeriesKey& series);
  static Status find(Link& link, AsofSide side, const std::string& valid, std::span<const AsofTarget> columns,
                     std::span<const AsofQuestion> questions);
  static Status find(std::span<Link> links, AsofSide side, const std::string& valid,
                     std::span<const AsofTarget> columns, const AsofQuestion& question);

  std::span<const NativeSegment> segments_;
  std::vector<Link> links_;  // one a segment
};

}  // namespace marigram::query
