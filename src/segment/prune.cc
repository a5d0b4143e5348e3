#include "segment/prune.h"

#include "base/try.h"
#include "segment/page_table.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <arrow/buffer.h>
#include <parquet/index_location.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>
#include <parquet/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace marigram::segment {
namespace {

bool may_match(const LeafCondition& condition, std::int64_t min, std::int64_t max) {
  return condition.bounds != nullptr ? condition.bounds->intersects(min, max) : condition.filter->may_match(min, max);
}

bool may_match(const LeafCondition& condition, const parquet::ByteArray& min, const parquet::ByteArray& max) {
  return condition.filter == nullptr || condition.filter->may_match(std::string_view(min), std::string_view(max));
}

template <typename T>
bool may_match_statistics(const LeafCondition& condition, const parquet::Statistics& statistics) {
  const auto& typed = static_cast<const parquet::TypedStatistics<T>&>(statistics);
  return may_match(condition, typed.min(), typed.max());
}

bool group_may_match(const LeafCondition& condition, const parquet::ColumnChunkMetaData& chunk) {
  if (!chunk.is_stats_set()) return true;
  const auto statistics = chunk.statistics();
  if (statistics == nullptr || !statistics->HasMinMax()) return true;
  switch (statistics->physical_type()) {
    case parquet::Type::INT32:
      return may_match_statistics<parquet::Int32Type>(condition, *statistics);
    case parquet::Type::INT64:
      return may_match_statistics<parquet::Int64Type>(condition, *statistics);
    case parquet::Type::BYTE_ARRAY:
      return may_match_statistics<parquet::ByteArrayType>(condition, *statistics);
    default:
      return true;
  }
}

bool group_all_within(const LeafCondition& condition, const parquet::ColumnChunkMetaData& chunk) {
  if (condition.bounds == nullptr || !chunk.is_stats_set() || chunk.type() != parquet::Type::INT64) return false;
  const auto statistics = chunk.statistics();
  if (statistics == nullptr || !statistics->HasMinMax() || !statistics->HasNullCount() ||
      statistics->null_count() != 0) {
    return false;
  }
  const auto& typed = static_cast<const parquet::Int64Statistics&>(*statistics);
  return condition.bounds->contains(typed.min(), typed.max());
}

template <typename T>
RowRanges matching_pages(const LeafCondition& condition, const parquet::ColumnIndex& index,
                         const std::vector<Page>& pages) {
  const auto& typed = static_cast<const parquet::TypedColumnIndex<T>&>(index);
  RowRanges rows;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    // A page of nulls has no bounds, and no match: neither a null index value nor a null tag is ever wanted.
    if (index.null_pages()[i]) continue;
    if (may_match(condition, typed.min_values()[i], typed.max_values()[i])) append_range(rows, pages[i].rows);
  }
  return rows;
}

/// Unset: the page index says nothing.
std::optional<RowRanges> rows_of_matching_pages(const LeafCondition& condition, const parquet::ColumnDescriptor& leaf,
                                                const parquet::ColumnIndex& index, const std::vector<Page>& pages) {
  if (index.null_pages().size() != pages.size()) return std::nullopt;
  switch (leaf.physical_type()) {
    case parquet::Type::INT32:
      return matching_pages<parquet::Int32Type>(condition, index, pages);
    case parquet::Type::INT64:
      return matching_pages<parquet::Int64Type>(condition, index, pages);
    case parquet::Type::BYTE_ARRAY:
      return matching_pages<parquet::ByteArrayType>(condition, index, pages);
    default:
      return std::nullopt;
  }
}

Result<std::optional<RowRanges>> prune_pages(const SegmentFile& file, const parquet::RowGroupMetaData& group,
                                             const LeafCondition& condition, const std::vector<Page>& pages) {
  const auto location = group.ColumnChunk(condition.leaf)->GetColumnIndexLocation();
  if (!location) return std::nullopt;
  MARIGRAM_ASSIGN(const auto bytes, file.slice(static_cast<std::uint64_t>(location->offset),
                                               static_cast<std::uint64_t>(location->length)));
  const parquet::ColumnDescriptor& leaf = *group.schema()->Column(condition.leaf);
  if (bytes->size() > INT32_MAX || leaf.sort_order() == parquet::SortOrder::UNKNOWN) return std::nullopt;
  const auto index = parquet::ColumnIndex::Make(leaf, bytes->data(), bytes->size(), file.reader_properties());
  return rows_of_matching_pages(condition, leaf, *index, pages);
}

/// Pages that hold one of the rows.
std::uint64_t count_overlapping(const std::vector<Page>& pages, const RowRanges& rows) {
  std::uint64_t count = 0;
  auto range = rows.begin();
  for (const Page& page : pages) {
    while (range != rows.end() && range->end <= page.rows.begin) ++range;
    if (range != rows.end() && range->begin < page.rows.end) ++count;
  }
  return count;
}

}  // namespace

Result<PruneResult> prune(const SegmentFile& file, int row_group, const std::vector<LeafCondition>& conditions) {
  const auto group = file.metadata()->RowGroup(row_group);
  PruneResult result;
  append_range(result.rows, {0, group->num_rows()});
  for (const LeafCondition& condition : conditions) {
    const auto chunk = group->ColumnChunk(condition.leaf);
    if (!group_may_match(condition, *chunk)) return PruneResult{};
    result.all_within = result.all_within || group_all_within(condition, *chunk);
  }
  std::shared_ptr<const PageTable> first;
  for (const LeafCondition& condition : conditions) {
    const bool is_first = &condition == &conditions.front();
    if (condition.bounds != nullptr && result.all_within && !is_first) continue;
    MARIGRAM_ASSIGN(auto table, page_table(file, row_group, condition.leaf));
    if (table->pages.empty()) continue;
    MARIGRAM_ASSIGN(const auto rows, prune_pages(file, *group, condition, table->pages));
    if (rows) result.rows = intersect(result.rows, *rows);
    if (is_first) first = std::move(table);
  }
  if (first == nullptr) return result;
  result.pages = first->pages.size();
  result.pages_kept = count_overlapping(first->pages, result.rows);
  return result;
}

}  // namespace marigram::segment
