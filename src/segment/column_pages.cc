#include "segment/column_pages.h"

#include "base/try.h"
#include "segment/input_stream.h"
#include "segment/page_table.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <arrow/io/interfaces.h>
#include <fmt/format.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

/// What of a column chunk is to be read.
struct PageSelection {
  std::vector<ByteRange> bytes;
  RowRanges rows;                       // that the bytes hold
  std::vector<std::int64_t> page_rows;  // of each data page; empty if unknown
};

/// Passes pages on, and makes sure that each holds as many values as the page index said.
class CheckedPages : public parquet::PageReader {
 public:
  CheckedPages(std::unique_ptr<parquet::PageReader> pages, std::vector<std::int64_t> expected)
      : pages_(std::move(pages)), expected_(std::move(expected)) {}

  std::shared_ptr<parquet::Page> NextPage() override {
    auto page = pages_->NextPage();
    if (page == nullptr) return page;
    const bool is_data =
        page->type() == parquet::PageType::DATA_PAGE || page->type() == parquet::PageType::DATA_PAGE_V2;
    if (!is_data) return page;
    const std::int64_t values = static_cast<const parquet::DataPage&>(*page).num_values();
    if (next_ >= expected_.size() || values != expected_[next_]) {
      throw parquet::ParquetException(fmt::format("a page holds {} values, its page index says otherwise", values));
    }
    ++next_;
    return page;
  }
  void set_max_page_header_size(std::uint32_t size) override { pages_->set_max_page_header_size(size); }

 private:
  std::unique_ptr<parquet::PageReader> pages_;
  std::vector<std::int64_t> expected_;
  std::size_t next_ = 0;
};

PageSelection whole_chunk(const ChunkLocation& chunk, std::int64_t rows) {
  PageSelection selection{.bytes = {chunk.bytes}, .rows = {}, .page_rows = {}};
  append_range(selection.rows, {0, rows});
  return selection;
}

void append_bytes(std::vector<ByteRange>& bytes, ByteRange range) {
  if (!bytes.empty() && bytes.back().offset + bytes.back().length == range.offset) {
    bytes.back().length += range.length;
  } else {
    bytes.push_back(range);
  }
}

PageSelection select_pages(const ChunkLocation& chunk, const std::vector<Page>& pages, const RowRanges& wanted) {
  PageSelection selection;
  // Whatever stands before the first data page is the dictionary.
  const std::uint64_t first_page = pages.front().bytes.offset;
  if (first_page > chunk.bytes.offset) {
    selection.bytes.push_back({chunk.bytes.offset, first_page - chunk.bytes.offset});
  }
  auto range = wanted.begin();
  for (const Page& page : pages) {
    while (range != wanted.end() && range->end <= page.rows.begin) ++range;
    if (range == wanted.end()) break;
    if (range->begin >= page.rows.end) continue;
    append_bytes(selection.bytes, page.bytes);
    append_range(selection.rows, page.rows);
    selection.page_rows.push_back(page.rows.rows());
  }
  return selection;
}

}  // namespace

Result<ColumnPages> open_pages(const SegmentFile& file, int row_group, int leaf, const RowRanges& wanted) {
  const std::int64_t rows = file.group_rows(row_group);
  ChunkLocation chunk;
  PageSelection selection;
  if (count_rows(wanted) < rows) {
    MARIGRAM_ASSIGN(const auto table, page_table(file, row_group, leaf));
    chunk = table->chunk;
    selection = table->pages.empty() ? whole_chunk(chunk, rows) : select_pages(chunk, table->pages, wanted);
  } else {
    MARIGRAM_ASSIGN(chunk, locate_chunk(file, *file.metadata()->RowGroup(row_group), leaf));
    selection = whole_chunk(chunk, rows);
  }
  MARIGRAM_ASSIGN(auto stream, make_input_stream(file, selection.bytes));
  const bool always_compressed =  // parquet-cpp before 2.0 forgot the flag in pages of version 2 (ARROW-10353)
      file.metadata()->writer_version().VersionLt(parquet::ApplicationVersion::PARQUET_CPP_10353_FIXED_VERSION());
  auto pages =
      parquet::PageReader::Open(std::move(stream), count_rows(selection.rows), chunk.codec, file.reader_properties(),
                                *file.metadata()->schema()->Column(leaf), always_compressed);
  if (!selection.page_rows.empty()) {
    pages = std::make_unique<CheckedPages>(std::move(pages), std::move(selection.page_rows));
  }
  return ColumnPages{.chunk = chunk, .pages = std::move(pages), .rows = std::move(selection.rows)};
}

bool is_dense(const SegmentFile& file, int leaf, const ChunkLocation& chunk) {
  const bool required = file.metadata()->schema()->Column(leaf)->max_definition_level() == 0;
  return required || (chunk.without_nulls && file.has_checksums());
}

}  // namespace marigram::segment
