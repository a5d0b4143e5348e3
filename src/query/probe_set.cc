#include "query/probe_set.h"

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
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

namespace marigram::query {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr const char* kDoing = "cannot join the probes";
constexpr std::uint32_t kNoSeries = UINT32_MAX;
constexpr std::size_t kProbesMax = std::size_t{1} << 31U;

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
Result<BatchPtr> tags_of(const arrow::RecordBatch& probes, const model::IndexSpec& index, const model::Schema& table,
                         bool growing) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const std::string& tag : index.tags) {
    auto column = probes.GetColumnByName(tag);
    MARIGRAM_ASSIGN(const auto type, segment::to_arrow_type(table.find(tag)->type));
    if (!column->type()->Equals(*type)) {
      auto cast = arrow::compute::Cast(*column, type);
      if (!cast.ok()) return std::unexpected(segment::from_arrow_status(cast.status(), kDoing, false));
      column = *std::move(cast);
    }
    fields.push_back(arrow::field(tag, type));
    columns.push_back(std::move(column));
  }
  auto tags = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), probes.num_rows(), std::move(columns));
  if (growing) return with_empty_tags(tags, index.tags);
  return tags;
}

/// Gives series numbers in order of appearance.
class SeriesNumbers {
 public:
  Status add(const arrow::RecordBatch& tags, const std::vector<std::string>& names, std::vector<std::uint32_t>& out) {
    MARIGRAM_ASSIGN(const auto columns, segment::TagColumns::make(tags, names, kDoing, out.size()));
    std::vector<std::uint8_t> starts(static_cast<std::size_t>(tags.num_rows()));
    if (!columns.empty()) columns.mark_changes(starts);
    std::uint32_t number = kNoSeries;
    std::string scratch;
    for (std::int64_t row = 0; row < tags.num_rows(); ++row) {
      if (number == kNoSeries || starts[static_cast<std::size_t>(row)] != 0) {
        const auto [found, is_new] =
            numbers_.try_emplace(std::string(columns.encode(row, scratch)), static_cast<std::uint32_t>(keys_.size()));
        if (is_new) keys_.push_back(columns.key_of(row));
        number = found->second;
      }
      out.push_back(number);
    }
    return {};
  }

  std::vector<SeriesKey> take() { return std::move(keys_); }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<SeriesKey> keys_;
};

/// Appends the times of a batch; probes without one lose their series.
void add_times(const arrow::Array& column, std::span<std::uint32_t> series, std::vector<std::int64_t>& times) {
  const std::int64_t flip = column.type_id() == arrow::Type::UINT64 ? INT64_MIN : 0;
  const auto* const values = column.data()->GetValues<std::int64_t>(1);
  for (std::int64_t row = 0; row < column.length(); ++row) {
    times.push_back(values[row] ^ flip);
    if (column.IsNull(row)) series[static_cast<std::size_t>(row)] = kNoSeries;
  }
}

}  // namespace

Result<BatchPtr> with_empty_tags(const BatchPtr& batch, const std::vector<std::string>& tags) {
  BatchPtr filled = batch;
  for (const std::string& tag : tags) {
    const int position = filled->schema()->GetFieldIndex(tag);
    const auto& column = filled->column(position);
    if (column->null_count() == 0) continue;
    MARIGRAM_ASSIGN(const auto array, table::empty_for_null(column));
    auto with = filled->SetColumn(position, filled->schema()->field(position), array);
    if (!with.ok()) return std::unexpected(segment::from_arrow_status(with.status(), kDoing, false));
    filled = *std::move(with);
  }
  return filled;
}

Result<ProbeSet> ProbeSet::make(const std::shared_ptr<arrow::Schema>& schema, const std::vector<BatchPtr>& probes,
                                const model::IndexSpec& index, const model::Schema& table, bool growing) {
  ProbeSet set;
  for (const std::string& tag : index.tags) MARIGRAM_TRY(check_tag(*schema, *table.find(tag)));
  MARIGRAM_ASSIGN(set.unit_, check_time(*schema, index));
  SeriesNumbers numbers;
  std::vector<std::uint32_t> series;
  std::vector<std::int64_t> times;
  for (const BatchPtr& batch : probes) {
    const std::size_t before = series.size();
    if (before + static_cast<std::size_t>(batch->num_rows()) > kProbesMax) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: there are more than {}; join them in parts", kDoing, kProbesMax));
    }
    MARIGRAM_ASSIGN(const BatchPtr tags, tags_of(*batch, index, table, growing));
    MARIGRAM_TRY(numbers.add(*tags, index.tags, series));
    add_times(*batch->GetColumnByName(index.column), std::span(series).subspan(before), times);
  }
  set.count_ = series.size();
  set.order(std::move(series), std::move(times), numbers.take());
  return set;
}

/// Counting by series, then by time where they do not ascend yet.
void ProbeSet::order(std::vector<std::uint32_t> of_probe, std::vector<std::int64_t> times,
                     std::vector<SeriesKey> keys) {
  std::vector<std::size_t> begins(keys.size() + 1);
  for (const std::uint32_t series : of_probe) {
    if (series != kNoSeries) ++begins[series + 1];
  }
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  positions_.resize(begins.back());
  times_.resize(begins.back());
  std::vector<std::size_t> next(begins.begin(), begins.end() - 1);
  for (std::uint32_t probe = 0; probe < of_probe.size(); ++probe) {
    if (of_probe[probe] == kNoSeries) continue;
    const std::size_t at = next[of_probe[probe]]++;
    positions_[at] = probe;
    times_[at] = times[probe];
  }
  for (std::size_t series = 0; series < keys.size(); ++series) {
    const std::span own = std::span(times_).subspan(begins[series], begins[series + 1] - begins[series]);
    if (own.empty()) continue;
    series_.emplace(std::move(keys[series]), Stretch{begins[series], begins[series + 1]});
    if (std::ranges::is_sorted(own)) continue;
    const std::span positions = std::span(positions_).subspan(begins[series], own.size());
    std::ranges::sort(positions, {}, [&](std::uint32_t probe) { return std::pair(times[probe], probe); });
    std::ranges::transform(positions, own.begin(), [&](std::uint32_t probe) { return times[probe]; });
  }
}

}  // namespace marigram::query
