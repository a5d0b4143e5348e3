#include "segment/page_table.h"

#include "base/try.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <parquet/index_location.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>
#include <parquet/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

// parquet-mr before 1.2.9 forgot the dictionary page's header in a chunk's size (PARQUET-816).
constexpr std::int64_t kForgottenHeaderBytes = 100;

/// Whether the footer says that all data pages are in one of the encodings.
bool all_pages_in(const parquet::ColumnChunkMetaData& chunk, std::initializer_list<parquet::Encoding::type> encodings) {
  if (chunk.encoding_stats().empty()) return false;
  return std::ranges::all_of(chunk.encoding_stats(), [&](const parquet::PageEncodingStats& stats) {
    const bool is_data =
        stats.page_type == parquet::PageType::DATA_PAGE || stats.page_type == parquet::PageType::DATA_PAGE_V2;
    return !is_data || std::ranges::find(encodings, stats.encoding) != encodings.end();
  });
}

bool states_no_nulls(const parquet::ColumnChunkMetaData& chunk) {
  if (!chunk.is_stats_set()) return false;
  const auto statistics = chunk.statistics();
  return statistics != nullptr && statistics->HasNullCount() && statistics->null_count() == 0;
}

/// First byte: the dictionary page, where there is one.
std::int64_t start_of(const parquet::ColumnChunkMetaData& chunk) {
  const std::int64_t data = chunk.data_page_offset();
  const std::int64_t dictionary = chunk.has_dictionary_page() ? chunk.dictionary_page_offset() : 0;
  return dictionary > 0 && dictionary < data ? dictionary : data;
}

/// Empty as PageTable says.
Result<std::vector<Page>> read_pages(const SegmentFile& file, const parquet::RowGroupMetaData& group, int leaf,
                                     const ChunkLocation& chunk) {
  const auto location = group.ColumnChunk(leaf)->GetOffsetIndexLocation();
  if (!location) return std::vector<Page>();
  MARIGRAM_ASSIGN(const auto bytes, file.slice(static_cast<std::uint64_t>(location->offset),
                                               static_cast<std::uint64_t>(location->length)));
  const auto index = parquet::OffsetIndex::Make(bytes->data(), bytes->size(), file.reader_properties());
  const auto& locations = index->page_locations();
  const std::int64_t rows = group.num_rows();
  std::vector<Page> pages;
  std::uint64_t least_offset = chunk.bytes.offset;
  for (std::size_t i = 0; i < locations.size(); ++i) {
    const auto& page = locations[i];
    const std::int64_t row_end = i + 1 < locations.size() ? locations[i + 1].first_row_index : rows;
    const auto offset = static_cast<std::uint64_t>(page.offset);
    const auto length = static_cast<std::uint64_t>(page.compressed_page_size);
    const std::uint64_t chunk_end = chunk.bytes.offset + chunk.bytes.length;
    const bool rows_fit =
        page.first_row_index == (i == 0 ? 0 : pages.back().rows.end) && row_end > page.first_row_index;
    const bool bytes_fit = page.offset >= 0 && page.compressed_page_size > 0 && offset >= least_offset &&
                           offset <= chunk_end && length <= chunk_end - offset;
    if (!rows_fit || row_end > rows || !bytes_fit) return std::vector<Page>();
    pages.push_back({.bytes = {offset, length}, .rows = {page.first_row_index, row_end}});
    least_offset = offset + length;
  }
  return pages;
}

}  // namespace

Result<ChunkLocation> locate_chunk(const SegmentFile& file, const parquet::RowGroupMetaData& group, int leaf) {
  const auto chunk = group.ColumnChunk(leaf);
  const auto damaged = [&](std::string cause) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: its footer is damaged: column {} {}", file.doing(),
                                                    group.schema()->Column(leaf)->path()->ToDotString(), cause));
  };
  if (chunk->crypto_metadata() != nullptr) return damaged("is encrypted, which tables do not support");
  if (!chunk->file_path().empty()) return damaged("lies in another file, which tables do not support");
  if (chunk->type() != group.schema()->Column(leaf)->physical_type())
    return damaged("has another type than its schema says");
  if (group.schema()->Column(leaf)->max_repetition_level() == 0 && chunk->num_values() != group.num_rows()) {
    return damaged(fmt::format("has {} values in a row group of {} rows", chunk->num_values(), group.num_rows()));
  }
  const std::int64_t start = start_of(*chunk);
  const std::int64_t size = chunk->total_compressed_size();
  const auto data_end = static_cast<std::int64_t>(file.data_end());
  if (start < 0 || size < 0 || start > data_end || size > data_end - start) {
    return damaged(fmt::format("claims {} bytes from byte {}, and the data end at byte {}", size, start, data_end));
  }
  std::int64_t length = size;
  if (file.metadata()->writer_version().VersionLt(parquet::ApplicationVersion::PARQUET_816_FIXED_VERSION())) {
    length += std::min(kForgottenHeaderBytes, data_end - (start + size));
  }
  return ChunkLocation{
      .bytes = {static_cast<std::uint64_t>(start), static_cast<std::uint64_t>(length)},
      .values = chunk->num_values(),
      .codec = chunk->compression(),
      .all_dictionary = chunk->has_dictionary_page() &&
                        all_pages_in(*chunk, {parquet::Encoding::RLE_DICTIONARY, parquet::Encoding::PLAIN_DICTIONARY}),
      .all_delta = all_pages_in(*chunk, {parquet::Encoding::DELTA_BINARY_PACKED}),
      .without_nulls = states_no_nulls(*chunk)};
}

Result<std::shared_ptr<const PageTable>> page_table(const SegmentFile& file, int row_group, int leaf) {
  if (auto known = file.known_page_table(row_group, leaf)) return known;
  const auto group = file.metadata()->RowGroup(row_group);
  auto table = std::make_shared<PageTable>();
  MARIGRAM_ASSIGN(table->chunk, locate_chunk(file, *group, leaf));
  MARIGRAM_ASSIGN(table->pages, read_pages(file, *group, leaf, table->chunk));
  file.remember_page_table(row_group, leaf, table);
  return table;
}

}  // namespace marigram::segment
