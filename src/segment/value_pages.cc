#include "segment/value_pages.h"

#include "base/try.h"
#include "codec/packed_bits.h"
#include "segment/arrow_status.h"
#include "segment/column_pages.h"

#include <marigram/error.h>

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace marigram::segment {

ValuePages::ValuePages(const SegmentFile& file, int leaf, ColumnPages pages)
    : file_(file),
      leaf_(*file.metadata()->schema()->Column(leaf)),
      dense_(is_dense(file, leaf, pages.chunk)),
      pages_(std::move(pages)) {}

Result<ValuePages::Dictionary> ValuePages::dictionary() {
  const auto page = pages_.pages->NextPage();
  if (page == nullptr || page->type() != parquet::PageType::DICTIONARY_PAGE) return damaged("has no dictionary");
  const std::int32_t entries = static_cast<const parquet::DictionaryPage&>(*page).num_values();
  if (entries < 0) return damaged("has a dictionary of fewer than no entries");
  if (pages_.chunk.codec == parquet::Compression::UNCOMPRESSED) return Dictionary{page->buffer(), entries};
  auto copy = page->buffer()->CopySlice(0, page->size());  // the next page is uncompressed to the same place
  if (!copy.ok()) return std::unexpected(from_arrow_status(copy.status(), file_.doing(), true));
  return Dictionary{*std::move(copy), entries};
}

Result<bool> ValuePages::next(parquet::Encoding::type encoding, parquet::Encoding::type older_name) {
  do {
    page_ = pages_.pages->NextPage();
    if (page_ == nullptr) return damaged("has fewer values than rows");
  } while (page_->type() != parquet::PageType::DATA_PAGE && page_->type() != parquet::PageType::DATA_PAGE_V2);
  const auto& page = static_cast<const parquet::DataPage&>(*page_);
  if (page.encoding() != encoding && page.encoding() != older_name) return false;
  const bool old_levels =
      page.type() == parquet::PageType::DATA_PAGE &&
      static_cast<const parquet::DataPageV1&>(page).definition_level_encoding() != parquet::Encoding::RLE;
  if (old_levels && leaf_.max_definition_level() > 0) return false;
  MARIGRAM_TRY(split(page));
  while (!pages_.rows.empty() && rows_.end >= pages_.rows.front().end) pages_.rows.erase(pages_.rows.begin());
  if (pages_.rows.empty()) return damaged("has more values than rows");
  const std::int64_t begin = std::max(rows_.end, pages_.rows.front().begin);
  rows_ = {begin, begin + page.num_values()};
  if (rows_.end > pages_.rows.front().end) return damaged("has more values than rows");
  return true;
}

/// Finds levels and values in a page.
Status ValuePages::split(const parquet::DataPage& page) {
  const codec::Bytes bytes(page.data(), static_cast<std::size_t>(page.size()));
  std::uint64_t begin = 0;  // of the levels
  std::uint64_t size = 0;
  if (page.type() == parquet::PageType::DATA_PAGE_V2) {
    const auto& page_v2 = static_cast<const parquet::DataPageV2&>(page);
    begin = static_cast<std::uint64_t>(page_v2.repetition_levels_byte_length());
    size = static_cast<std::uint64_t>(page_v2.definition_levels_byte_length());
  } else if (leaf_.max_definition_level() > 0) {
    begin = sizeof(std::uint32_t);
    size = static_cast<std::uint32_t>(codec::load_word(bytes, 0));
  }
  if (begin > bytes.size() || size > bytes.size() - begin) return damaged("has a page that is cut short");
  levels_ = bytes.subspan(begin, size);
  values_ = bytes.subspan(begin + size);
  return {};
}

std::unexpected<Error> ValuePages::damaged(std::string_view what) const {
  return fail(ErrorCode::kCorruption,
              fmt::format("{}: column {} {}", file_.doing(), leaf_.path()->ToDotString(), what));
}

}  // namespace marigram::segment
