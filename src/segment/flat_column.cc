// Flat columns, page by page, by Parquet's record reader. Twice as fast as parquet::arrow on strings (dictionaries stay
// dictionaries) and nullable columns (no spacing where the statistics promise that there are no nulls), and able to
// skip.
#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/column_source.h"
#include "segment/input_stream.h"
#include "segment/page_table.h"
#include "segment/parquet_schema.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_generate.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/level_conversion.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using parquet::internal::RecordReader;

/// What of a column chunk is to be read.
struct PageSelection {
  std::vector<ByteRange> bytes;
  RowRanges rows;                       // that the bytes hold
  std::vector<std::int64_t> page_rows;  // of each data page; empty if unknown
};

/// Passes pages on, and makes sure that each holds as many values as the page index said: rows of different columns
/// would slip against each other otherwise.
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

bool is_utf8(const arrow::StringArray& strings) {
  static const bool kReady = (arrow::util::InitializeUTF8(), true);
  const std::int32_t first = strings.value_offset(0);
  const std::int32_t size = strings.value_offset(strings.length()) - first;
  if (!kReady || size == 0) return true;
  const std::uint8_t* text = strings.value_data()->data();
  if (!arrow::util::ValidateUTF8(text + first, size)) return false;
  for (std::int64_t i = 0; i < strings.length(); ++i) {  // no value may start inside a character
    const std::int32_t at = strings.value_offset(i);
    if (at < first + size && (text[at] & 0xC0) == 0x80) return false;
  }
  return true;
}

/// Parquet's reader hands on indices as they stand in the page.
bool indices_fit(const arrow::Int32Array& indices, std::int64_t entries) {
  const auto* raw = reinterpret_cast<const std::uint32_t*>(indices.raw_values());
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < indices.length(); ++i) largest = std::max(largest, raw[i]);
  if (largest < entries || indices.length() == 0) return true;
  for (std::int64_t i = 0; i < indices.length(); ++i) {
    if (raw[i] >= entries && indices.IsValid(i)) return false;
  }
  return true;
}

class FlatColumn : public ColumnSource {
 public:
  static Result<std::unique_ptr<ColumnSource>> open(const SegmentFile& file, int row_group, int leaf,
                                                    const RowRanges& wanted) {
    const auto group = file.metadata()->RowGroup(row_group);
    MARIGRAM_ASSIGN(const ChunkLocation chunk, locate_chunk(file, *group, leaf));
    PageSelection selection = whole_chunk(chunk, group->num_rows());
    if (count_rows(wanted) < group->num_rows()) {
      MARIGRAM_ASSIGN(const auto pages, read_page_table(file, *group, leaf));
      if (pages) selection = select_pages(chunk, *pages, wanted);
    }
    std::unique_ptr<FlatColumn> column(new FlatColumn(file, *file.metadata()->schema()->Column(leaf), chunk));
    MARIGRAM_TRY(column->start(chunk, std::move(selection)));
    return column;
  }

  Result<ArrayPtr> read(const RowRanges& ranges) override {
    std::int64_t rows = 0;
    if (!is_bytes_) reader_->Reserve(count_rows(ranges));
    for (const RowRange& range : ranges) {
      const std::int64_t skip = rows_to_skip(range.begin);
      if (skip > 0 && reader_->SkipRecords(skip) != skip) return cut_short();
      if (reader_->ReadRecords(range.rows()) != range.rows()) return cut_short();
      loaded_.front().begin = range.end;
      rows += range.rows();
    }
    MARIGRAM_ASSIGN(ArrayPtr array, take_array(rows));
    reader_->Reset();
    if (array->length() != rows) return cut_short();
    return array;
  }

 private:
  FlatColumn(const SegmentFile& file, const parquet::ColumnDescriptor& leaf, const ChunkLocation& chunk)
      : file_(file),
        leaf_(leaf),
        type_(flat_type(leaf)),
        // The promise is worth only what the file's checksums make it worth.
        dense_(leaf.max_definition_level() == 0 || (chunk.without_nulls && file.has_checksums())),
        is_bytes_(type_->id() == arrow::Type::STRING || type_->id() == arrow::Type::BINARY ||
                  type_->id() == arrow::Type::FIXED_SIZE_BINARY),
        is_dictionary_(chunk.all_dictionary && leaf.physical_type() == parquet::Type::BYTE_ARRAY) {}

  Status start(const ChunkLocation& chunk, PageSelection selection) {
    MARIGRAM_ASSIGN(auto stream, make_input_stream(file_, selection.bytes));
    const bool always_compressed =  // parquet-cpp before 2.0 forgot the flag in pages of version 2 (ARROW-10353)
        file_.metadata()->writer_version().VersionLt(parquet::ApplicationVersion::PARQUET_CPP_10353_FIXED_VERSION());
    auto pages = parquet::PageReader::Open(std::move(stream), count_rows(selection.rows), chunk.codec,
                                           file_.reader_properties(), leaf_, always_compressed);
    if (!selection.page_rows.empty()) {
      pages = std::make_unique<CheckedPages>(std::move(pages), std::move(selection.page_rows));
    }
    loaded_ = std::move(selection.rows);
    reader_ = RecordReader::Make(&leaf_, parquet::internal::LevelInfo::ComputeLevelInfo(&leaf_),
                                 arrow::default_memory_pool(), is_dictionary_, dense_, is_bytes_ ? type_ : nullptr);
    reader_->SetPageReader(std::move(pages));
    return {};
  }

  /// Rows in the reader before row `row` of the row group; moves the front of loaded_ there.
  std::int64_t rows_to_skip(std::int64_t row) {
    std::int64_t skip = 0;
    while (!loaded_.empty() && loaded_.front().end <= row) {
      skip += loaded_.front().rows();
      loaded_.erase(loaded_.begin());
    }
    assert(!loaded_.empty() && loaded_.front().begin <= row);
    return skip + row - loaded_.front().begin;
  }

  std::unexpected<Error> cut_short() const {
    return fail(ErrorCode::kCorruption,
                fmt::format("{}: column {} has fewer values than rows", file_.doing(), leaf_.path()->ToDotString()));
  }

  Result<ArrayPtr> take_array(std::int64_t rows) {
    if (is_dictionary_) return take_dictionary();
    if (is_bytes_) return take_bytes();
    const bool has_nulls = !dense_ && reader_->null_count() > 0;
    if (reader_->values_written() != rows) return cut_short();
    const std::int64_t null_count = has_nulls ? reader_->null_count() : 0;
    std::shared_ptr<arrow::Buffer> valid;
    if (!dense_) valid = reader_->ReleaseIsValid();
    if (!has_nulls) valid = nullptr;
    std::shared_ptr<arrow::Buffer> values = reader_->ReleaseValues();
    if (type_->id() == arrow::Type::BOOL) {
      MARIGRAM_ASSIGN(values, pack_bits(*values, rows));
    }
    return arrow::MakeArray(arrow::ArrayData::Make(type_, rows, {std::move(valid), std::move(values)}, null_count));
  }

  /// Parquet's reader gives a byte for a bool.
  Result<std::shared_ptr<arrow::Buffer>> pack_bits(const arrow::Buffer& bytes, std::int64_t rows) const {
    auto bits = arrow::AllocateBuffer(arrow::bit_util::BytesForBits(rows));
    if (!bits.ok()) return std::unexpected(from_arrow_status(bits.status(), file_.doing(), true));
    const std::uint8_t* next = bytes.data();
    arrow::internal::GenerateBitsUnrolled((*bits)->mutable_data(), 0, rows, [&] { return *next++ != 0; });
    return std::shared_ptr<arrow::Buffer>(*std::move(bits));
  }

  Result<ArrayPtr> take_dictionary() {
    auto* reader = dynamic_cast<parquet::internal::DictionaryRecordReader*>(reader_.get());
    const auto result = reader->GetResult();
    if (result->num_chunks() != 1) return join(result->chunks());
    // The reader knows byte strings only; ours may be text.
    const auto data = result->chunk(0)->data()->Copy();
    data->dictionary = data->dictionary->Copy();
    data->dictionary->type = type_;
    data->type = arrow::dictionary(arrow::int32(), type_);
    auto array = arrow::MakeArray(data);
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*array);
    MARIGRAM_TRY(check_text(*dictionary.dictionary()));
    if (!indices_fit(static_cast<const arrow::Int32Array&>(*dictionary.indices()), dictionary.dictionary()->length())) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("{}: column {} has an index beyond its dictionary of {} entries", file_.doing(),
                              leaf_.path()->ToDotString(), dictionary.dictionary()->length()));
    }
    return array;
  }

  Result<ArrayPtr> take_bytes() {
    auto* reader = dynamic_cast<parquet::internal::BinaryRecordReader*>(reader_.get());
    MARIGRAM_ASSIGN(auto array, join(reader->GetBuilderChunks()));
    MARIGRAM_TRY(check_text(*array));
    return array;
  }

  /// Parquet's reader does not look whether text is UTF-8, and others rely on it.
  Status check_text(const arrow::Array& array) const {
    if (array.type_id() != arrow::Type::STRING || is_utf8(static_cast<const arrow::StringArray&>(array))) return {};
    return fail(ErrorCode::kCorruption,
                fmt::format("{}: column {} holds text that is not UTF-8", file_.doing(), leaf_.path()->ToDotString()));
  }

  Result<ArrayPtr> join(const std::vector<ArrayPtr>& chunks) const {
    if (chunks.size() == 1) return chunks.front();
    auto joined = chunks.empty() ? arrow::MakeArrayOfNull(type_, 0) : arrow::Concatenate(chunks);
    if (!joined.ok()) return std::unexpected(from_arrow_status(joined.status(), file_.doing(), true));
    return *std::move(joined);
  }

  const SegmentFile& file_;
  const parquet::ColumnDescriptor& leaf_;
  std::shared_ptr<arrow::DataType> type_;
  bool dense_;          // no nulls, or none to expect
  bool is_bytes_;       // strings and fixed-size binary have builders of their own
  bool is_dictionary_;  // all pages hold indices into one dictionary
  std::shared_ptr<RecordReader> reader_;
  RowRanges loaded_;  // rows still in the reader
};

}  // namespace

Result<std::unique_ptr<ColumnSource>> open_flat_column(const SegmentFile& file, int row_group, int leaf,
                                                       const RowRanges& wanted) {
  return FlatColumn::open(file, row_group, leaf, wanted);
}

}  // namespace marigram::segment
