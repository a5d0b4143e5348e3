#include "query/probe_set.h"

#include "base/parallel.h"
#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/arrow_status.h"
#include "segment/tag_columns.h"
#include "table/absent_tags.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace marigram::query {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr const char* kDoing = "cannot join the probes";
constexpr std::uint32_t kNoSeries = UINT32_MAX;
constexpr std::size_t kProbesMax = std::size_t{1} << 31U;
constexpr std::size_t kProbesOfPart = 16'384;

std::unexpected<Error> mismatch(const std::string& what) {
  return fail(ErrorCode::kSchemaMismatch, fmt::format("{}: {}", kDoing, what));
}

Result<std::shared_ptr<arrow::DataType>> type_of(const arrow::Schema& probes, const std::string& name) {
  const auto found = probes.GetAllFieldIndices(name);
  if (found.size() == 1) return probes.field(found.front())->type();
  return mismatch(found.empty() ? fmt::format("they have no column {}, which the table has", name)
                                : fmt::format("they have {} columns {}", found.size(), name));
}

bool is_text(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY)
    return is_text(*static_cast<const arrow::DictionaryType&>(type).value_type());
  return arrow::is_string(type.id()) || type.id() == arrow::Type::STRING_VIEW;
}

Status check_tag(const arrow::Schema& probes, const model::Column& tag) {
  MARIGRAM_ASSIGN(const auto type, type_of(probes, tag.name));
  const bool fits = tag.type.id == model::TypeId::kUtf8 ? is_text(*type) : arrow::is_integer(type->id());
  if (fits) return {};
  return mismatch(fmt::format("column {} is of type {}, the table's is {}", tag.name, type->ToString(),
                              model::format_type(tag.type)));
}

/// The unit of the probes' times; seconds for integers.
Result<TimeUnit> check_time(const arrow::Schema& probes, const model::IndexSpec& index) {
  MARIGRAM_ASSIGN(const auto type, type_of(probes, index.column));
  constexpr arrow::Type::type kTypes[] = {arrow::Type::TIMESTAMP, arrow::Type::INT64, arrow::Type::UINT64};
  if (type->id() != kTypes[index.kind.index()]) {
    return mismatch(fmt::format("column {} is of type {}, the table's index is {}", index.column, type->ToString(),
                                model::index_kind_name(index.kind)));
  }
  if (type->id() != arrow::Type::TIMESTAMP) return TimeUnit::kSecond;
  constexpr TimeUnit kUnits[] = {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano};
  return kUnits[static_cast<const arrow::TimestampType&>(*type).unit()];
}

/// The tags of the probes in the types of the table.
Result<BatchPtr> tags_of(const arrow::RecordBatch& probes, const TableView& table) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const std::string& tag : table.index.tags) {
    auto column = probes.GetColumnByName(tag);
    MARIGRAM_ASSIGN(const auto type, segment::to_arrow_type(table.schema.find(tag)->type));
    const bool is_encoded = column->type_id() == arrow::Type::DICTIONARY && type->id() == arrow::Type::STRING &&
                            is_text(*column->type()) && column->null_count() == 0;
    if (!column->type()->Equals(*type) && !is_encoded) {
      auto cast = arrow::compute::Cast(*column, type);
      if (!cast.ok()) return std::unexpected(segment::from_arrow_status(cast.status(), kDoing, false));
      column = *std::move(cast);
    }
    fields.push_back(arrow::field(tag, column->type()));
    columns.push_back(std::move(column));
  }
  auto tags = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), probes.num_rows(), std::move(columns));
  if (table.grows()) return table::empty_for_null_tags(tags, table.index.tags);
  return tags;
}

/// Gives series numbers in order of appearance.
class SeriesNumbers {
 public:
  /// `out`: the number of each row; `first`: that of the first row among all probes.
  Status add(const arrow::RecordBatch& tags, const std::vector<std::string>& names, std::size_t first,
             std::span<std::uint32_t> out) {
    MARIGRAM_ASSIGN(const auto columns, segment::TagColumns::make(tags, names, kDoing, first));
    if (columns.dictionary_length() > 0) return add_encoded(columns, first, out);
    std::vector<std::uint8_t> starts(out.size());
    if (!columns.empty()) columns.mark_changes(starts);
    std::uint32_t number = kNoSeries;
    for (std::size_t row = 0; row < out.size(); ++row) {
      if (number == kNoSeries || starts[row] != 0) number = number_of(columns, static_cast<std::int64_t>(row));
      out[row] = number;
    }
    return {};
  }

  std::vector<SeriesKey> take() { return std::move(keys_); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::uint32_t number_of(const segment::TagColumns& columns, std::int64_t row) {
    const std::string_view code = columns.encode(row, scratch_);
    const auto found = numbers_.find(code);
    if (found != numbers_.end()) return found->second;
    const auto number = static_cast<std::uint32_t>(keys_.size());
    numbers_.emplace(code, number);
    keys_.push_back(columns.key_of(row));
    return number;
  }

  /// Each entry of the dictionary is looked up once.
  Status add_encoded(const segment::TagColumns& columns, std::size_t first, std::span<std::uint32_t> out) {
    std::vector<std::uint32_t> of_entry(static_cast<std::size_t>(columns.dictionary_length()), kNoSeries);
    const std::span<const std::int32_t> indices = columns.dictionary_indices();
    for (std::size_t row = 0; row < out.size(); ++row) {
      const auto entry = static_cast<std::uint32_t>(indices[row]);
      if (entry >= of_entry.size()) {
        return fail(ErrorCode::kInvalidInput, fmt::format("{}: the tag of probe {} is entry {} of a dictionary of {}",
                                                          kDoing, first + row, indices[row], of_entry.size()));
      }
      if (of_entry[entry] == kNoSeries) of_entry[entry] = number_of(columns, static_cast<std::int64_t>(row));
      out[row] = of_entry[entry];
    }
    return {};
  }

  std::string scratch_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
  std::vector<SeriesKey> keys_;
};

/// A stretch of the probes of one batch, and their times.
struct Piece {
  const arrow::Array* times = nullptr;
  std::int64_t begin = 0;  // in the batch
  std::int64_t end = 0;
  std::size_t first = 0;  // probe, counted over all batches
};

/// As many lists as there are threads, of about as many probes each; in order.
std::vector<std::vector<Piece>> deal(const std::vector<BatchPtr>& probes, const std::string& time, std::size_t count,
                                     std::size_t threads) {
  const auto share = static_cast<std::int64_t>(count / threads + 1);
  std::vector<std::vector<Piece>> lists(1);
  std::int64_t room = share;
  std::size_t first = 0;
  for (const BatchPtr& batch : probes) {
    const arrow::Array* const times = batch->GetColumnByName(time).get();
    for (std::int64_t begin = 0; begin < batch->num_rows();) {
      const std::int64_t end = std::min(batch->num_rows(), begin + room);
      lists.back().push_back({.times = times, .begin = begin, .end = end, .first = first});
      first += static_cast<std::size_t>(end - begin);
      room -= end - begin;
      begin = end;
      if (room > 0) continue;
      lists.emplace_back();
      room = share;
    }
  }
  return lists;
}

/// Calls f(probe, time) for those that have a time, and without(probe) for the others. Unsigned times flipped.
template <typename F, typename Without>
void for_each_probe(const std::vector<Piece>& pieces, F f, Without without) {
  for (const Piece& piece : pieces) {
    const std::int64_t flip = piece.times->type_id() == arrow::Type::UINT64 ? INT64_MIN : 0;
    const auto* const values = piece.times->data()->GetValues<std::int64_t>(1);
    const bool has_nulls = piece.times->null_count() > 0;
    auto probe = static_cast<std::uint32_t>(piece.first);
    for (std::int64_t row = piece.begin; row < piece.end; ++row, ++probe) {
      if (has_nulls && piece.times->IsNull(row)) {
        without(probe);
      } else {
        f(probe, values[row] ^ flip);
      }
    }
  }
}

/// Probes by series.
struct Placed {
  std::vector<std::size_t> begins;  // of each series, and the end
  segment::PoolArray<std::int64_t> times;
  segment::PoolArray<std::uint32_t> positions;
  std::vector<std::uint32_t> without_time;
};

/// Counts, then places, all lists at once. `series`: of each probe, of so many.
Result<Placed> place(const std::vector<std::vector<Piece>>& lists, std::span<const std::uint32_t> series,
                     std::size_t series_count, ThreadPool& pool) {
  Placed placed;
  std::vector<std::vector<std::size_t>> next(lists.size());  // [list][series]
  std::vector<std::vector<std::uint32_t>> without(lists.size());
  MARIGRAM_TRY(for_each_part(pool, lists.size(), [&](std::size_t list) -> Status {
    std::vector<std::size_t>& counts = next[list];
    counts.resize(series_count);
    for_each_probe(
        lists[list], [&](std::uint32_t probe, std::int64_t) { ++counts[series[probe]]; },
        [&](std::uint32_t probe) { without[list].push_back(probe); });
    return {};
  }));
  std::size_t at = 0;
  for (std::size_t i = 0; i < series_count; ++i) {
    placed.begins.push_back(at);
    for (auto& counts : next) at += std::exchange(counts[i], at);
  }
  placed.begins.push_back(at);
  for (const auto& probes : without) {
    placed.without_time.insert(placed.without_time.end(), probes.begin(), probes.end());
  }
  MARIGRAM_ASSIGN(placed.positions, segment::PoolArray<std::uint32_t>::make(at, kDoing));
  MARIGRAM_ASSIGN(placed.times, segment::PoolArray<std::int64_t>::make(at, kDoing));
  MARIGRAM_TRY(for_each_part(pool, lists.size(), [&](std::size_t list) -> Status {
    const auto put = [&](std::uint32_t probe, std::int64_t time) {
      const std::size_t to = next[list][series[probe]]++;
      placed.positions[to] = probe;
      placed.times[to] = time;
    };
    for_each_probe(lists[list], put, [](std::uint32_t) {});
    return {};
  }));
  return placed;
}

/// Sorts the probes of one series after another.
class TimeSorter {
 public:
  /// By time, those of equal times as they stand. O(count) where times are spread evenly: each goes to one of as many
  /// slots of time as there are probes, most of which then hold few; else O(count log(count)).
  void sort(std::span<std::int64_t> times, std::span<std::uint32_t> positions) {
    if (std::ranges::is_sorted(times)) return;  // so is nothing, too
    place(times, positions);
    for (std::size_t i = 1; i < ordered_.size(); ++i) {  // none is far from where it belongs
      const Probe probe = ordered_[i];
      std::size_t to = i;
      for (; to > 0 && probe < ordered_[to - 1]; --to) ordered_[to] = ordered_[to - 1];
      ordered_[to] = probe;
    }
    for (std::size_t i = 0; i < times.size(); ++i) std::tie(times[i], positions[i]) = ordered_[i];
  }

 private:
  using Probe = std::pair<std::int64_t, std::uint32_t>;  // positions ascend at first
  static constexpr std::size_t kFew = 16;

  /// Into their slots, and where these hold more than a few, into their order.
  void place(std::span<const std::int64_t> times, std::span<const std::uint32_t> positions) {
    const auto [least, largest] = std::ranges::minmax(times);
    const std::uint64_t range = static_cast<std::uint64_t>(largest) - static_cast<std::uint64_t>(least);
    const auto bits = static_cast<int>(std::bit_width(times.size()));
    const auto shift = static_cast<unsigned>(std::max(0, static_cast<int>(std::bit_width(range)) - bits));
    const auto slot_of = [shift, from = static_cast<std::uint64_t>(least)](std::int64_t time) {
      return (static_cast<std::uint64_t>(time) - from) >> shift;
    };
    ends_.assign((range >> shift) + 2, 0);
    for (const std::int64_t time : times) ++ends_[slot_of(time) + 1];
    const bool are_few = *std::ranges::max_element(ends_) <= kFew;
    std::partial_sum(ends_.begin(), ends_.end(), ends_.begin());
    ordered_.resize(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) ordered_[ends_[slot_of(times[i])]++] = {times[i], positions[i]};
    if (are_few) return;
    std::uint32_t begin = 0;
    for (const std::uint32_t end : ends_) {
      if (end - begin > kFew) std::sort(ordered_.begin() + begin, ordered_.begin() + end);
      begin = end;
    }
  }

  std::vector<std::uint32_t> ends_;
  std::vector<Probe> ordered_;
};

/// Each series by time, where it is not yet.
Status sort(Placed& placed, ThreadPool& pool) {
  const std::vector<std::size_t>& begins = placed.begins;
  std::vector<std::size_t> parts = {0};  // of series with some probes together: the begins, and the end
  for (std::size_t series = 1; series < begins.size(); ++series) {
    const bool is_full = begins[series] - begins[parts.back()] >= kProbesOfPart;
    if (is_full || series + 1 == begins.size()) parts.push_back(series);
  }
  return for_each_part(pool, parts.size() - 1, [&](std::size_t part) -> Status {
    TimeSorter sorter;
    for (std::size_t series = parts[part]; series < parts[part + 1]; ++series) {
      const std::size_t count = begins[series + 1] - begins[series];
      sorter.sort(placed.times.all().subspan(begins[series], count),
                  placed.positions.all().subspan(begins[series], count));
    }
    return {};
  });
}

}  // namespace

Result<ProbeSet> ProbeSet::make(const std::shared_ptr<arrow::Schema>& schema, const std::vector<BatchPtr>& probes,
                                const TableView& table) {
  const model::IndexSpec& index = table.index;
  ThreadPool& pool = table.pool();
  ProbeSet set;
  for (const std::string& tag : index.tags) MARIGRAM_TRY(check_tag(*schema, *table.schema.find(tag)));
  MARIGRAM_ASSIGN(set.unit_, check_time(*schema, index));
  for (const BatchPtr& batch : probes) set.count_ += static_cast<std::size_t>(batch->num_rows());
  if (set.count_ > kProbesMax) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: there are more than {}; join them in parts", kDoing, kProbesMax));
  }
  SeriesNumbers numbers;
  MARIGRAM_ASSIGN(auto series, segment::PoolArray<std::uint32_t>::make(set.count_, kDoing));
  std::size_t first = 0;
  for (const BatchPtr& batch : probes) {
    const auto rows = static_cast<std::size_t>(batch->num_rows());
    MARIGRAM_ASSIGN(const BatchPtr tags, tags_of(*batch, table));
    MARIGRAM_TRY(numbers.add(*tags, index.tags, first, series.all().subspan(first, rows)));
    first += rows;
  }
  std::vector<SeriesKey> keys = numbers.take();
  MARIGRAM_ASSIGN(Placed placed,
                  place(deal(probes, index.column, set.count_, pool.size()), series.all(), keys.size(), pool));
  MARIGRAM_TRY(sort(placed, pool));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Stretch own{placed.begins[i], placed.begins[i + 1]};
    if (own.size() > 0) set.series_.emplace(std::move(keys[i]), own);
  }
  set.times_ = std::move(placed.times);
  set.positions_ = std::move(placed.positions);
  set.without_time_ = std::move(placed.without_time);
  return set;
}

}  // namespace marigram::query
