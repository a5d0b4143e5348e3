// Columns whose pages hold dictionary indices or packed deltas. Unlike Parquet's reader, which decodes what it skips,
// this one passes over indices at no cost, so that a few rows of each series are cheap. Nor does it, as the reader of
// Arrow 26 may, loop for ever on damaged indices.
#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/column_pages.h"
#include "segment/column_source.h"
#include "segment/hybrid_decoder.h"
#include "segment/packed_values.h"
#include "segment/parquet_schema.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"
#include "segment/value_pages.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_builders.h>
#include <parquet/column_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// Which rows of a read have a value; of a column where not all need have one.
class Validity {
 public:
  void start(std::int64_t rows) {
    valid_.clear();
    valid_.reserve(static_cast<std::size_t>(rows));
    values_ = 0;
  }
  void open_page(codec::Bytes levels) { levels_ = HybridDecoder(levels, 1); }

  /// How many of the next `count` rows have a value; unset if the levels end before. `keep`: they are read.
  std::optional<std::size_t> pass(std::size_t count, bool keep) {
    std::array<std::uint32_t, 1'024> levels;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before read
    std::size_t values = 0;
    while (count > 0) {
      const std::size_t part = std::min(count, levels.size());
      if (!levels_.read(levels.data(), part)) return std::nullopt;
      for (std::size_t i = 0; i < part; ++i) values += levels[i];
      if (keep) valid_.insert(valid_.end(), levels.begin(), levels.begin() + static_cast<std::ptrdiff_t>(part));
      count -= part;
    }
    if (keep) values_ += values;
    return values;
  }

  bool all() const { return values_ == valid_.size(); }
  const std::vector<std::uint8_t>& bytes() const { return valid_; }
  std::int64_t nulls() const { return static_cast<std::int64_t>(valid_.size() - values_); }

 private:
  HybridDecoder levels_;
  std::vector<std::uint8_t> valid_;
  std::size_t values_ = 0;
};

/// Reads ranges page by page. `Values` knows the encoding: open_page() begins a page, skip() and take() go on in it,
/// and `output` collects what was taken; array() makes the column of it.
template <typename Values>
class PackedColumn : public ColumnSource {
 public:
  PackedColumn(ValuePages pages, Values values, OpenColumn otherwise)
      : pages_(std::move(pages)), values_(std::move(values)), otherwise_(std::move(otherwise)) {}

  Result<ArrayPtr> read(const RowRanges& ranges) override {
    if (!other_) {
      MARIGRAM_ASSIGN(const bool packed, take(ranges));
      if (packed) return finish();
      MARIGRAM_ASSIGN(other_, otherwise_());
    }
    return other_->read(ranges);
  }

 private:
  /// False if a page is not packed.
  Result<bool> take(const RowRanges& ranges) {
    const std::int64_t rows = count_rows(ranges);
    MARIGRAM_TRY(values_.output.reserve(rows, pages_.file()));
    if (!pages_.dense()) validity_.start(rows);
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      if (i + 2 < ranges.size()) prefetch(ranges[i + 2]);
      for (RowRange range = ranges[i]; range.begin < range.end;) {
        if (pages_.rows().end <= range.begin) {
          MARIGRAM_ASSIGN(const bool packed, open_page());
          if (!packed) return false;
          continue;
        }
        MARIGRAM_TRY(pass(range.begin, false));
        range.begin = std::min(range.end, pages_.rows().end);
        MARIGRAM_TRY(pass(range.begin, true));
      }
    }
    return true;
  }

  void prefetch(const RowRange& rows) const {
    if (!pages_.dense() || rows.begin < at_ || rows.end > pages_.rows().end) return;
    values_.prefetch(static_cast<std::size_t>(rows.begin - at_), static_cast<std::size_t>(rows.rows()));
  }

  Result<bool> open_page() {
    MARIGRAM_ASSIGN(const bool packed, pages_.next(Values::kEncoding, Values::kOlderName));
    if (!packed) return false;
    if (!pages_.dense()) validity_.open_page(pages_.levels());
    at_ = pages_.rows().begin;
    MARIGRAM_TRY(values_.open_page(pages_));
    return true;
  }

  /// Goes on to row `end`; `keep`: reads what is before it.
  Status pass(std::int64_t end, bool keep) {
    assert(at_ <= end);
    auto values = std::optional(static_cast<std::size_t>(end - at_));
    if (!pages_.dense()) values = validity_.pass(*values, keep);
    at_ = end;
    if (!values) return pages_.damaged("has a page with fewer levels than rows");
    if (keep) return values_.take(*values, pages_);
    if (values_.skip(*values)) return {};
    return pages_.damaged("has a page with fewer values than rows");
  }

  Result<ArrayPtr> finish() {
    if (pages_.dense() || validity_.all()) return values_.array(nullptr, 0);
    values_.output.spread(validity_.bytes());
    auto bitmap = arrow::internal::BytesToBits(validity_.bytes());
    if (!bitmap.ok()) return std::unexpected(from_arrow_status(bitmap.status(), pages_.file().doing(), true));
    return values_.array(*std::move(bitmap), validity_.nulls());
  }

  ValuePages pages_;
  Values values_;
  OpenColumn otherwise_;
  std::unique_ptr<ColumnSource> other_;  // null until a page turns out not to be packed
  Validity validity_;
  std::int64_t at_ = 0;  // the row that comes next
};

template <typename Values>
Result<std::unique_ptr<ColumnSource>> make_column(ValuePages pages, Values values, OpenColumn otherwise) {
  return std::make_unique<PackedColumn<Values>>(std::move(pages), std::move(values), std::move(otherwise));
}

}  // namespace

bool is_packed(const SegmentFile& file, int leaf, const ChunkLocation& chunk) {
  switch (file.metadata()->schema()->Column(leaf)->physical_type()) {
    case parquet::Type::INT32:
    case parquet::Type::INT64:
      return chunk.all_dictionary || chunk.all_delta;
    case parquet::Type::FLOAT:
    case parquet::Type::DOUBLE:
    case parquet::Type::BYTE_ARRAY:
      return chunk.all_dictionary;
    default:
      return false;
  }
}

Result<std::unique_ptr<ColumnSource>> open_packed_column(const SegmentFile& file, int leaf, ColumnPages column,
                                                         OpenColumn otherwise) {
  const bool dictionary = column.chunk.all_dictionary;
  const auto& descriptor = *file.metadata()->schema()->Column(leaf);
  const auto type = flat_type(descriptor);
  ValuePages pages(file, leaf, std::move(column));
  switch (descriptor.physical_type()) {
    case parquet::Type::BYTE_ARRAY: {
      MARIGRAM_ASSIGN(auto values, DictionaryStrings::make(pages, type));
      return make_column(std::move(pages), std::move(values), std::move(otherwise));
    }
    case parquet::Type::INT32:
    case parquet::Type::FLOAT: {
      if (!dictionary) return make_column(std::move(pages), DeltaNumbers<std::uint32_t>(type), std::move(otherwise));
      MARIGRAM_ASSIGN(auto values, DictionaryNumbers<std::uint32_t>::make(pages, type));
      return make_column(std::move(pages), std::move(values), std::move(otherwise));
    }
    default: {
      if (!dictionary) return make_column(std::move(pages), DeltaNumbers<std::uint64_t>(type), std::move(otherwise));
      MARIGRAM_ASSIGN(auto values, DictionaryNumbers<std::uint64_t>::make(pages, type));
      return make_column(std::move(pages), std::move(values), std::move(otherwise));
    }
  }
}

}  // namespace marigram::segment
