// Rows within bounds, found in packed deltas without writing the values down.
#include "base/try.h"
#include "segment/column_pages.h"
#include "segment/column_source.h"
#include "segment/delta_decoder.h"
#include "segment/index_bounds.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"
#include "segment/value_pages.h"

#include <marigram/error.h>

#include <parquet/column_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace marigram::segment {
namespace {

/// Collects the rows whose index value lies within bounds.
class Finder {
 public:
  explicit Finder(const IndexBounds& bounds) : first_(bounds.first()), span_(bounds.span()) {}

  /// The first `count` values of the stretch are those of rows `row` and on.
  void add(const DeltaDecoder::Stretch& stretch, std::int64_t row, std::int64_t count) {
    if (!stretch.values.empty()) {
      add_values(row, count, [&](std::int64_t i) { return stretch.values[static_cast<std::size_t>(i)]; });
    } else if (stretch.step > 0 && stretch.step < kStepMax && span_ < kSpanMax) {
      add_progression(stretch, row, static_cast<std::uint64_t>(count));
    } else {
      add_values(row, count,
                 [&](std::int64_t i) { return stretch.first + stretch.step * static_cast<std::uint64_t>(i); });
    }
  }

  const RowRanges& found() const { return found_; }

 private:
  // With smaller steps and bounds a progression wraps around once at most, and not out of the bounds into them.
  static constexpr std::uint64_t kStepMax = std::uint64_t{1} << 40;
  static constexpr std::uint64_t kSpanMax = UINT64_MAX - (std::uint64_t{1} << 57);

  template <typename Value>
  void add_values(std::int64_t row, std::int64_t count, Value value) {
    const auto wanted = [&](std::int64_t i) { return value(i) - first_ <= span_; };
    for (std::int64_t i = 0; i < count;) {
      while (i < count && !wanted(i)) ++i;
      const std::int64_t begin = i;
      while (i < count && wanted(i)) ++i;
      append_range(found_, {row + begin, row + i});
    }
  }

  void add_progression(const DeltaDecoder::Stretch& stretch, std::int64_t row, std::uint64_t count) {
    std::uint64_t begin = 0;
    std::uint64_t offset = stretch.first - first_;  // wanted up to span_
    if (offset > span_) {
      const std::uint64_t before = 0 - offset;
      if (before > stretch.step * (count - 1)) return;
      begin = before / stretch.step + (before % stretch.step == 0 ? 0 : 1);
      offset += begin * stretch.step;
      if (offset > span_) return;
    }
    const std::uint64_t steps = (span_ - offset) / stretch.step;
    const std::uint64_t end = steps < count - begin ? begin + steps + 1 : count;
    append_range(found_, {row + static_cast<std::int64_t>(begin), row + static_cast<std::int64_t>(end)});
  }

  std::uint64_t first_;
  std::uint64_t span_;
  RowRanges found_;
};

}  // namespace

Result<std::optional<RowRanges>> find_rows(const SegmentFile& file, int row_group, int leaf, const RowRanges& rows,
                                           const IndexBounds& bounds, std::size_t stretches_max) {
  if (file.metadata()->schema()->Column(leaf)->physical_type() != parquet::Type::INT64) return std::nullopt;
  MARIGRAM_ASSIGN(ColumnPages column, open_pages(file, row_group, leaf, rows));
  if (!column.chunk.all_delta || !is_dense(file, leaf, column.chunk)) return std::nullopt;
  const std::int64_t end = column.rows.empty() ? 0 : column.rows.back().end;
  ValuePages pages(file, leaf, std::move(column));
  Finder finder(bounds);
  while (pages.rows().end < end) {
    MARIGRAM_ASSIGN(const bool packed,
                    pages.next(parquet::Encoding::DELTA_BINARY_PACKED, parquet::Encoding::DELTA_BINARY_PACKED));
    if (!packed) return std::nullopt;
    DeltaDecoder decoder(pages.values());
    for (std::int64_t row = pages.rows().begin; row < pages.rows().end;) {
      DeltaDecoder::Stretch stretch;
      if (!decoder.next(stretch) || stretch.count == 0) return pages.damaged("has a page with fewer values than rows");
      const std::int64_t left = pages.rows().end - row;
      finder.add(stretch, row, std::min(left, static_cast<std::int64_t>(stretch.count)));
      row += static_cast<std::int64_t>(stretch.count);
    }
    if (finder.found().size() > stretches_max) return std::nullopt;
  }
  return intersect(finder.found(), rows);
}

}  // namespace marigram::segment
