#include "table/row_order.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/tag_dictionary.h"

#include <arrow/api.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace marigram::table {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

std::unexpected<Error> arrow_failure(const arrow::Status& status) {
  return std::unexpected(segment::from_arrow_status(status, "cannot sort rows", false));
}

/// Turns raw values of an index column into keys.
std::uint64_t bias_of(const arrow::Array& column) {
  return column.type_id() == arrow::Type::UINT64 ? 0 : kSignBit;
}

/// Dense numbers for the distinct values of one column, in order of appearance.
template <typename ArrayType, typename Value>
std::vector<std::uint32_t> number_values(const arrow::Array& column) {
  const auto& values = static_cast<const ArrayType&>(column);
  std::vector<std::uint32_t> numbers(static_cast<std::size_t>(values.length()));
  std::unordered_map<Value, std::uint32_t> seen;
  Value last{};
  std::uint32_t number = 0;
  for (std::int64_t i = 0; i < values.length(); ++i) {
    const Value value = values.GetView(i);
    if (i == 0 || value != last) {  // rows of a series often stand together
      number = seen.try_emplace(value, static_cast<std::uint32_t>(seen.size())).first->second;
      last = value;
    }
    numbers[static_cast<std::size_t>(i)] = number;
  }
  return numbers;
}

/// The indices of a dictionary need not appear in order, nor all of them, nor differ in value.
std::vector<std::uint32_t> number_dictionary(const arrow::DictionaryArray& column) {
  const std::vector<std::uint32_t> entries = number_values<arrow::StringArray, std::string_view>(*column.dictionary());
  const auto* indices = column.indices()->data()->GetValues<std::int32_t>(1);
  constexpr std::uint32_t kUnseen = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> number_of(entries.size(), kUnseen);
  std::vector<std::uint32_t> numbers(static_cast<std::size_t>(column.length()));
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::uint32_t& number = number_of[entries[static_cast<std::size_t>(indices[i])]];
    if (number == kUnseen) number = seen++;
    numbers[i] = number;
  }
  return numbers;
}

std::vector<std::uint32_t> number_column(const arrow::Array& column) {
  switch (column.type_id()) {
    case arrow::Type::DICTIONARY:
      return number_dictionary(static_cast<const arrow::DictionaryArray&>(column));
    case arrow::Type::STRING:
      return number_values<arrow::StringArray, std::string_view>(column);
    case arrow::Type::INT32:
      return number_values<arrow::Int32Array, std::int32_t>(column);
    case arrow::Type::INT64:
      return number_values<arrow::Int64Array, std::int64_t>(column);
    default:
      return number_values<arrow::UInt64Array, std::uint64_t>(column);
  }
}

template <typename ArrayType>
int compare_views(const arrow::Array& column, std::int64_t a, std::int64_t b) {
  const auto& values = static_cast<const ArrayType&>(column);
  const auto left = values.GetView(a);
  const auto right = values.GetView(b);
  return left < right ? -1 : (right < left ? 1 : 0);
}

int compare_rows(const arrow::Array& column, std::int64_t a, std::int64_t b) {
  switch (column.type_id()) {
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(column);
      return compare_views<arrow::StringArray>(*dictionary.dictionary(), dictionary.GetValueIndex(a),
                                               dictionary.GetValueIndex(b));
    }
    case arrow::Type::STRING:
      return compare_views<arrow::StringArray>(column, a, b);
    case arrow::Type::INT32:
      return compare_views<arrow::Int32Array>(column, a, b);
    case arrow::Type::INT64:
      return compare_views<arrow::Int64Array>(column, a, b);
    default:
      return compare_views<arrow::UInt64Array>(column, a, b);
  }
}

/// Turns numbers in order of appearance into ranks in series order.
SeriesRanks rank_numbers(const std::vector<std::shared_ptr<arrow::Array>>& tags, std::vector<std::uint32_t> numbers) {
  std::vector<std::int64_t> first_row;  // by number
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] == first_row.size()) first_row.push_back(static_cast<std::int64_t>(i));
  }
  std::vector<std::uint32_t> by_series(first_row.size());
  std::iota(by_series.begin(), by_series.end(), 0U);
  std::ranges::sort(by_series, [&](std::uint32_t a, std::uint32_t b) {
    for (const auto& tag : tags) {
      if (const int order = compare_rows(*tag, first_row[a], first_row[b]); order != 0) return order < 0;
    }
    return false;
  });
  std::vector<std::uint32_t> rank_of(first_row.size());
  for (std::uint32_t rank = 0; rank < by_series.size(); ++rank) rank_of[by_series[rank]] = rank;
  for (std::uint32_t& number : numbers) number = rank_of[number];
  return {std::move(numbers), static_cast<std::uint32_t>(first_row.size())};
}

std::int64_t partition_of(std::uint64_t time, std::uint64_t width) {
  const auto value = static_cast<std::int64_t>(time ^ kSignBit);
  const auto w = static_cast<std::int64_t>(width);
  return value / w - (value % w < 0 ? 1 : 0);
}

/// The partition of each row; empty if all rows are of one.
using Partitions = std::vector<std::int64_t>;

Partitions partitions_of(const std::vector<std::uint64_t>& times, PartitionWidth width) {
  if (!width) return {};
  const auto [low, high] = std::ranges::minmax(times);
  if (partition_of(low, *width) == partition_of(high, *width)) return {};
  Partitions partitions(times.size());
  std::ranges::transform(times, partitions.begin(), [&](std::uint64_t time) { return partition_of(time, *width); });
  return partitions;
}

bool is_in_order(const Partitions& partitions, const SeriesRanks& series, const std::vector<std::uint64_t>& times) {
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (!partitions.empty() && partitions[i] != partitions[i - 1]) {
      if (partitions[i] < partitions[i - 1]) return false;
    } else if (series.rank[i] != series.rank[i - 1]) {
      if (series.rank[i] < series.rank[i - 1]) return false;
    } else if (times[i] < times[i - 1]) {
      return false;
    }
  }
  return true;
}

/// Rows by series, which keep their order in each, and where each series begins: a counting sort.
struct RowsBySeries {
  std::vector<std::uint32_t> order;
  std::vector<std::size_t> start;  // by rank, and the end
};

RowsBySeries group_by_series(const SeriesRanks& series) {
  RowsBySeries rows{.order = std::vector<std::uint32_t>(series.rank.size()),
                    .start = std::vector<std::size_t>(series.series + 1U, 0)};
  for (const std::uint32_t rank : series.rank) ++rows.start[rank + 1U];
  std::partial_sum(rows.start.begin(), rows.start.end(), rows.start.begin());
  std::vector<std::size_t> next(rows.start.begin(), rows.start.end() - 1);
  for (std::uint32_t row = 0; row < series.rank.size(); ++row) rows.order[next[series.rank[row]]++] = row;
  return rows;
}

/// Rows by (series, time), stable.
std::vector<std::uint32_t> order_by_series(const SeriesRanks& series, const std::vector<std::uint64_t>& keys) {
  RowsBySeries rows = group_by_series(series);
  const auto by_key = [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; };
  for (std::size_t rank = 0; rank < series.series; ++rank) {
    const auto first = rows.order.begin() + static_cast<std::ptrdiff_t>(rows.start[rank]);
    const auto last = rows.order.begin() + static_cast<std::ptrdiff_t>(rows.start[rank + 1]);
    if (!std::is_sorted(first, last, by_key)) std::stable_sort(first, last, by_key);
  }
  return std::move(rows.order);
}

/// Stable: rows of a partition keep their order. `counts` receives the rows of each partition, ascending.
std::vector<std::uint32_t> order_by_partition(std::vector<std::uint32_t> order, const Partitions& partitions,
                                              std::vector<std::int64_t>& counts) {
  if (partitions.empty()) {
    counts.assign(1, static_cast<std::int64_t>(order.size()));
    return order;
  }
  Partitions distinct(partitions);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::unordered_map<std::int64_t, std::size_t> place;
  for (std::size_t i = 0; i < distinct.size(); ++i) place.emplace(distinct[i], i);
  counts.assign(distinct.size(), 0);
  for (const std::int64_t partition : partitions) ++counts[place[partition]];
  std::vector<std::size_t> next(distinct.size(), 0);
  for (std::size_t i = 1; i < next.size(); ++i) next[i] = next[i - 1] + static_cast<std::size_t>(counts[i - 1]);
  std::vector<std::uint32_t> result(order.size());
  for (const std::uint32_t row : order) result[next[place[partitions[row]]]++] = row;
  return result;
}

std::vector<std::int64_t> run_lengths(const Partitions& partitions, std::int64_t rows) {
  if (partitions.empty()) return {rows};
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (i == 0 || partitions[i] != partitions[i - 1]) lengths.push_back(0);
    ++lengths.back();
  }
  return lengths;
}

template <typename Same>
bool has_equal_neighbours(std::size_t rows, Same same) {
  for (std::size_t row = 1; row < rows; ++row) {
    if (same(row - 1, row)) return true;
  }
  return false;
}

/// Leaves the last of rows that are the same, which stand together in `order`. `counts`: the rows of each partition.
template <typename Same>
void keep_last(std::vector<std::uint32_t>& order, std::vector<std::int64_t>& counts, Same same) {
  std::size_t kept = 0;
  std::size_t row = 0;
  for (std::int64_t& count : counts) {
    const std::size_t first = kept;
    for (const std::size_t end = row + static_cast<std::size_t>(count); row < end; ++row) {
      if (row + 1 == end || !same(order[row], order[row + 1])) order[kept++] = order[row];
    }
    count = static_cast<std::int64_t>(kept - first);
  }
  order.resize(kept);
}

/// Replaces the text tags of the batches, in place, by dictionaries common to all of them; gives the batches' index
/// column and tags.
Result<std::vector<BatchPtr>> key_columns(std::vector<BatchPtr>& batches, const model::IndexSpec& index) {
  std::vector<int> columns{batches.front()->schema()->GetFieldIndex(index.column)};
  for (const std::string& tag : index.tags) {
    const int column = batches.front()->schema()->GetFieldIndex(tag);
    columns.push_back(column);
    if (batches.front()->column(column)->type_id() != arrow::Type::STRING) continue;
    const auto dictionary = segment::to_dictionary(arrow::ChunkedArray(column_chunks(batches, column)));
    if (!dictionary) continue;
    const auto field = batches.front()->schema()->field(column)->WithType(dictionary->type());
    for (std::size_t i = 0; i < batches.size(); ++i) {
      auto replaced = batches[i]->SetColumn(column, field, dictionary->chunk(static_cast<int>(i)));
      if (!replaced.ok()) return arrow_failure(replaced.status());
      batches[i] = *std::move(replaced);
    }
  }
  std::vector<BatchPtr> keys;
  for (const BatchPtr& batch : batches) {
    auto selected = batch->SelectColumns(columns);
    if (!selected.ok()) return arrow_failure(selected.status());
    keys.push_back(*std::move(selected));
  }
  return keys;
}

/// Stable least-significant-digit radix sort of `items` (fewer than 2^32) by the bits of key_of(item) up to `key_bits`.
template <typename Item, typename KeyOf>
void radix_sort(std::vector<Item>& items, unsigned key_bits, KeyOf key_of) {
  constexpr unsigned kDigitBitsMax = 12;
  const unsigned passes = (key_bits + kDigitBitsMax - 1) / kDigitBitsMax;
  const unsigned digit_bits = (key_bits + passes - 1) / passes;
  const std::uint64_t mask = (std::uint64_t{1} << digit_bits) - 1;
  std::vector<Item> target(items.size());
  std::vector<std::uint32_t> next(mask + 2);
  for (unsigned shift = 0; shift < key_bits; shift += digit_bits) {
    const auto digit = [&](Item item) { return (key_of(item) >> shift) & mask; };
    std::ranges::fill(next, 0U);
    for (const Item item : items) ++next[digit(item) + 1];
    std::partial_sum(next.begin(), next.end(), next.begin());
    for (const Item item : items) target[next[digit(item)]++] = item;
    items.swap(target);
  }
}

/// Stable. Times are counted from the first in the largest power of two that divides their distances; where that and
/// the row's number fit into 64 bits together, sorting reads nothing but these words.
void sort_by_time(std::vector<std::uint32_t>& order, const std::vector<std::uint64_t>& times) {
  const std::uint64_t first = std::ranges::min(times);
  std::uint64_t bits = 0;
  for (const std::uint64_t time : times) bits |= time - first;
  if (bits == 0) return;
  const auto unit = static_cast<unsigned>(std::countr_zero(bits));
  const auto key_bits = static_cast<unsigned>(std::bit_width(bits >> unit));
  const auto row_bits = static_cast<unsigned>(std::bit_width(times.size()));
  const auto time_of = [&](std::uint32_t row) { return (times[row] - first) >> unit; };
  if (key_bits + row_bits > 64) return radix_sort(order, key_bits, time_of);
  std::vector<std::uint64_t> words;
  words.reserve(order.size());
  for (const std::uint32_t row : order) words.push_back((time_of(row) << row_bits) | row);
  radix_sort(words, key_bits, [&](std::uint64_t word) { return word >> row_bits; });
  const std::uint64_t row_mask = (std::uint64_t{1} << row_bits) - 1;
  std::ranges::transform(words, order.begin(),
                         [&](std::uint64_t word) { return static_cast<std::uint32_t>(word & row_mask); });
}

/// The order by time of series that tick together: equally long runs of equal, strictly ascending times, which are then
/// as columns to rows. Unset if the rows are anything else.
std::optional<std::vector<std::uint32_t>> transposed(const std::vector<std::uint64_t>& times) {
  const auto run = std::ranges::adjacent_find(times, std::ranges::greater_equal{});
  if (run == times.end()) return std::nullopt;
  const auto length = static_cast<std::size_t>(run - times.begin()) + 1;
  if (times.size() % length != 0) return std::nullopt;
  for (std::size_t begin = length; begin < times.size(); begin += length) {
    if (!std::ranges::equal(std::span(times).subspan(begin, length), std::span(times).first(length)))
      return std::nullopt;
  }
  std::vector<std::uint32_t> order;
  order.reserve(times.size());
  for (std::size_t at = 0; at < length; ++at) {
    for (std::size_t row = at; row < times.size(); row += length) order.push_back(static_cast<std::uint32_t>(row));
  }
  return order;
}

template <typename ArrayType>
TagValue tag_value(const arrow::Array& column, std::int64_t row) {
  return static_cast<const ArrayType&>(column).GetView(row);
}

}  // namespace

std::vector<std::uint64_t> index_keys(const arrow::Array& column) {
  const auto rows = static_cast<std::size_t>(column.length());
  std::vector<std::uint64_t> keys(rows);
  const auto* raw = column.data()->GetValues<std::uint64_t>(1);  // int64, timestamp and uint64 share the layout
  const std::uint64_t bias = bias_of(column);
  for (std::size_t i = 0; i < rows; ++i) keys[i] = raw[i] ^ bias;
  return keys;
}

SeriesRanks series_ranks(const std::vector<std::shared_ptr<arrow::Array>>& tags, std::int64_t rows) {
  if (tags.empty() || rows == 0) {
    return {std::vector<std::uint32_t>(static_cast<std::size_t>(rows), 0U), rows == 0 ? 0U : 1U};
  }
  std::vector<std::uint32_t> numbers = number_column(*tags.front());
  for (std::size_t t = 1; t < tags.size(); ++t) {
    const std::vector<std::uint32_t> more = number_column(*tags[t]);
    std::unordered_map<std::uint64_t, std::uint32_t> pairs;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::uint64_t pair = (std::uint64_t{numbers[i]} << 32U) | more[i];
      numbers[i] = pairs.try_emplace(pair, static_cast<std::uint32_t>(pairs.size())).first->second;
    }
  }
  return rank_numbers(tags, std::move(numbers));
}

SeriesKey series_key(const std::vector<std::shared_ptr<arrow::Array>>& tags, std::int64_t row) {
  SeriesKey key;
  for (const auto& tag : tags) {
    switch (tag->type_id()) {
      case arrow::Type::STRING:
        key.emplace_back(static_cast<const arrow::StringArray&>(*tag).GetString(row));
        break;
      case arrow::Type::INT32:
        key.push_back(tag_value<arrow::Int32Array>(*tag, row));
        break;
      case arrow::Type::INT64:
        key.push_back(tag_value<arrow::Int64Array>(*tag, row));
        break;
      default:
        key.push_back(tag_value<arrow::UInt64Array>(*tag, row));
        break;
    }
  }
  return key;
}

std::optional<std::vector<std::uint32_t>> sorted_order(const std::vector<std::uint64_t>& times,
                                                       const SeriesRanks& series, bool by_time) {
  const auto before = [&](std::size_t a, std::size_t b) {
    if (by_time) return times[a] != times[b] ? times[a] < times[b] : series.rank[a] < series.rank[b];
    return series.rank[a] != series.rank[b] ? series.rank[a] < series.rank[b] : times[a] < times[b];
  };
  bool sorted = true;
  for (std::size_t row = 1; row < times.size() && sorted; ++row) sorted = !before(row, row - 1);
  if (sorted) return std::nullopt;
  if (!by_time) return order_by_series(series, times);
  std::vector<std::uint32_t> order = group_by_series(series).order;
  sort_by_time(order, times);
  return order;
}

std::optional<std::vector<std::uint32_t>> time_order(const std::vector<std::uint64_t>& times) {
  if (std::ranges::is_sorted(times)) return std::nullopt;
  if (auto order = transposed(times)) return order;
  std::vector<std::uint32_t> order(times.size());
  std::iota(order.begin(), order.end(), 0U);
  sort_by_time(order, times);
  return order;
}

void KeySpan::add(const arrow::Array& column) {
  const auto* raw = column.data()->GetValues<std::uint64_t>(1);
  const std::uint64_t bias = bias_of(column);
  for (std::int64_t row = 0; row < column.length(); ++row) {
    low_ = std::min(low_, raw[row] ^ bias);
    high_ = std::max(high_, raw[row] ^ bias);
  }
}

std::uint64_t KeySpan::partitions(PartitionWidth width) const {
  if (low_ > high_) return 0;
  if (!width) return 1;
  return static_cast<std::uint64_t>(partition_of(high_, *width) - partition_of(low_, *width)) + 1;
}

Result<OrderedRows> OrderedRows::make(std::vector<BatchPtr> batches, const model::IndexSpec& index,
                                      PartitionWidth width, Duplicates duplicates) {
  std::int64_t rows = 0;
  for (const BatchPtr& batch : batches) rows += batch->num_rows();
  if (rows > std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorCode::kInternal, "cannot sort rows: more than 2^32 rows in one piece");
  }
  MARIGRAM_ASSIGN(std::vector<BatchPtr> keys, key_columns(batches, index));
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int i = 0; i < keys.front()->num_columns(); ++i) {
    MARIGRAM_ASSIGN(auto column, join_column(keys, i));
    columns.push_back(std::move(column));
  }
  const std::vector<std::uint64_t> times = index_keys(*columns.front());
  columns.erase(columns.begin());
  const SeriesRanks series = series_ranks(columns, rows);
  const Partitions partitions = partitions_of(times, width);

  OrderedRows ordered;
  const auto same = [&](std::size_t a, std::size_t b) {
    return times[a] == times[b] && series.rank[a] == series.rank[b];
  };
  const bool last = duplicates == Duplicates::kLast;
  const bool in_order = is_in_order(partitions, series, times);
  if (in_order && batches.size() == 1 && !(last && has_equal_neighbours(times.size(), same))) {
    ordered.partitions_ = run_lengths(partitions, rows);
    ordered.sorted_ = batches.front();
    ordered.sorted_keys_ = keys.front();
    return ordered;
  }
  ordered.order_ = order_by_partition(order_by_series(series, times), partitions, ordered.partitions_);
  if (last) keep_last(ordered.order_, ordered.partitions_, same);
  MARIGRAM_ASSIGN(ordered.gather_, RowGather::make(batches));
  MARIGRAM_ASSIGN(ordered.gather_keys_, RowGather::make(keys));
  return ordered;
}

std::span<const std::uint32_t> OrderedRows::order(std::int64_t offset, std::int64_t count) const {
  return std::span(order_).subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
}

Result<BatchPtr> OrderedRows::rows(std::int64_t offset, std::int64_t count) const {
  return sorted_ ? sorted_->Slice(offset, count) : gather_->take(order(offset, count));
}

Result<BatchPtr> OrderedRows::keys(std::int64_t offset, std::int64_t count) const {
  return sorted_ ? sorted_keys_->Slice(offset, count) : gather_keys_->take(order(offset, count));
}

}  // namespace marigram::table
