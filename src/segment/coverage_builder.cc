#include "segment/coverage_builder.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "model/index.h"
#include "model/table_meta.h"
#include "segment/covered_series.h"
#include "segment/series_slots.h"
#include "segment/tag_columns.h"
#include "segment/time_units.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::segment {
namespace {

// A stretch of rows of one series that is at least this long goes into its set directly; shorter ones are collected.
constexpr std::size_t kLongRunRows = 64;
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

arrow::Type::type arrow_index_type(const model::IndexKind& kind) {
  if (std::holds_alternative<model::Int64Index>(kind)) return arrow::Type::INT64;
  return std::holds_alternative<model::UInt64Index>(kind) ? arrow::Type::UINT64 : arrow::Type::TIMESTAMP;
}

TimeUnit index_unit(const arrow::DataType& type) {
  if (type.id() != arrow::Type::TIMESTAMP) return TimeUnit::kSecond;  // unused for integer indexes
  return unit_of(static_cast<const arrow::TimestampType&>(type));
}

}  // namespace

struct CoverageBuilder::State {
  State(Dialect table_dialect, const model::IndexSpec& spec, Duplicates policy, const std::string& source)
      : dialect(table_dialect),
        index(spec),
        duplicates(policy),
        doing("cannot use " + source),
        grid(table_dialect, spec.kind),
        bias(std::holds_alternative<model::UInt64Index>(spec.kind) ? 0 : kSignBit) {}

  /// One set for the table, or one a series?
  bool by_series() const { return dialect == Dialect::kV7 && !index.tags.empty(); }
  std::uint64_t key(std::int64_t raw) const { return static_cast<std::uint64_t>(raw) ^ bias; }

  Result<std::span<const std::int64_t>> read_index(const arrow::RecordBatch& batch);
  Status read_series(const arrow::RecordBatch& batch);
  Status cover(std::span<const std::int64_t> values);
  Status cover_runs();
  Status add_ids(std::uint32_t slot, std::span<const std::uint64_t> run);
  void note_bounds(std::span<const std::int64_t> values);
  void note_order(std::span<const std::int64_t> values);
  IndexValue index_value(std::uint64_t index_key) const;

  Dialect dialect;
  model::IndexSpec index;
  Duplicates duplicates;
  std::string doing;
  coverage::BucketGrid grid;
  std::uint64_t bias;  // turns raw index values into unsigned keys of the same order

  std::uint64_t rows = 0;
  std::optional<TimeUnit> unit;  // of the first batch
  std::optional<std::uint64_t> min_key;
  std::optional<std::uint64_t> max_key;
  bool sorted = true;
  std::optional<std::uint64_t> last_key;  // of the row before the batch
  std::uint32_t last_slot = kNoSlot;      // of the row before the batch
  SeriesSlots slots;
  std::vector<CoveredSeries> covered;               // by slot; one if not by_series()
  std::vector<std::vector<std::uint64_t>> pending;  // by slot: ids of short runs of the batch

  // Of the batch; kept to reuse their memory.
  std::vector<std::int64_t> present;  // index values without the nulls, if there are nulls
  std::vector<std::uint64_t> ids;
  std::vector<std::uint8_t> starts;      // 1 where a run of a series starts; empty without tags
  std::vector<std::uint32_t> run_slots;  // of the runs
  bool has_null_index = false;
};

/// The raw values of the index column that are not null.
Result<std::span<const std::int64_t>> CoverageBuilder::State::read_index(const arrow::RecordBatch& batch) {
  const auto column = batch.GetColumnByName(index.column);
  if (!column)
    return fail(ErrorCode::kSchemaMismatch, fmt::format("{}: index column {} is missing", doing, index.column));
  if (column->type_id() != arrow_index_type(index.kind)) {
    return fail(ErrorCode::kSchemaMismatch,
                fmt::format("{}: index column {} has type {}, want {}", doing, index.column, column->type()->ToString(),
                            model::index_kind_name(index.kind)));
  }
  if (!unit) unit = index_unit(*column->type());
  if (*unit != index_unit(*column->type())) {
    return fail(ErrorCode::kSchemaMismatch,
                fmt::format("{}: index column {} changes its unit from {} to {}", doing, index.column,
                            time_unit_name(*unit), time_unit_name(index_unit(*column->type()))));
  }
  const auto* raw = column->data()->GetValues<std::int64_t>(1);
  has_null_index = column->null_count() > 0;
  if (!has_null_index) return std::span(raw, static_cast<std::size_t>(column->length()));
  present.clear();
  for (std::int64_t row = 0; row < column->length(); ++row) {
    if (column->IsValid(row)) {
      present.push_back(raw[row]);
    } else if (dialect == Dialect::kV7) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: index column {} is null in row {}, want a value in every row", doing, index.column,
                              rows + static_cast<std::uint64_t>(row)));
    }
  }
  return std::span<const std::int64_t>(present);
}

/// Finds the runs of rows of the same series.
Status CoverageBuilder::State::read_series(const arrow::RecordBatch& batch) {
  MARIGRAM_ASSIGN(const TagColumns tags, TagColumns::make(batch, index.tags, doing, rows));
  const auto count = static_cast<std::size_t>(batch.num_rows());
  starts.assign(count, 0);
  tags.mark_changes(starts);
  slots.begin_batch(tags);
  run_slots.clear();
  for (std::size_t row = 0; row < count; ++row) {
    if (starts[row] != 0) run_slots.push_back(slots.slot_of(tags, static_cast<std::int64_t>(row)));
  }
  return {};
}

void CoverageBuilder::State::note_bounds(std::span<const std::int64_t> values) {
  if (values.empty()) return;
  std::uint64_t low = key(values.front());
  std::uint64_t high = low;
  for (const std::int64_t value : values) {
    low = std::min(low, key(value));
    high = std::max(high, key(value));
  }
  min_key = min_key ? std::min(*min_key, low) : low;
  max_key = max_key ? std::max(*max_key, high) : high;
}

/// Whether the rows so far, and these, ascend by (series, time).
void CoverageBuilder::State::note_order(std::span<const std::int64_t> values) {
  if (values.empty() || !sorted) return;
  const bool tags = !index.tags.empty();
  if (has_null_index && tags &&
      slots.size() > 1) {  // rows of several series, some of them not counted: v1 refuses them
    sorted = false;
    return;
  }
  if (has_null_index) starts.assign(values.size(), 0);  // one series
  bool descends = false;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const bool same_series = !tags || starts[i] == 0;
    descends |= same_series && key(values[i]) < key(values[i - 1]);
  }
  std::uint32_t previous = last_slot;
  for (const std::uint32_t slot : run_slots) {
    if (previous != kNoSlot && previous != slot && slots.key(slot) < slots.key(previous)) descends = true;
    previous = slot;
  }
  const bool continues = !tags || (!run_slots.empty() && run_slots.front() == last_slot);
  if (continues && last_key && key(values.front()) < *last_key) descends = true;
  sorted = !descends;
  last_key = key(values.back());
}

Status CoverageBuilder::State::add_ids(std::uint32_t slot, std::span<const std::uint64_t> run) {
  CoveredSeries& series = covered[slot];
  if (duplicates == Duplicates::kAllow) {
    series.add(run);
    return {};
  }
  const auto repeated = series.add_new(run);
  if (!repeated) return {};
  OverlapInfo overlap{.buckets = repeated->count, .series = {}, .example = {}};
  if (by_series()) overlap.series = format_series(index.tags, slots.key(slot));
  overlap.example = fmt::format("[{}, {})", format_index_value(grid.start_of(repeated->first_id)),
                                format_index_value(grid.end_of(repeated->first_id)));
  const std::string of_series = overlap.series.empty() ? "" : fmt::format(" of {}", overlap.series);
  return std::unexpected(
      Error{.code = ErrorCode::kOverlap,
            .message = fmt::format("{}: two rows{} lie in the bucket {}, want one row a series and bucket of {}", doing,
                                   of_series, overlap.example, model::format_bucket(index.kind)),
            .detail = overlap});
}

/// Hands the ids of each run to its series.
Status CoverageBuilder::State::cover_runs() {
  covered.resize(slots.size());
  pending.resize(slots.size());
  std::vector<std::uint32_t> touched;
  std::size_t begin = 0;
  for (const std::uint32_t slot : run_slots) {
    std::size_t end = begin + 1;
    while (end < ids.size() && starts[end] == 0) ++end;
    const auto run = std::span(ids).subspan(begin, end - begin);
    if (run.size() >= kLongRunRows) {
      MARIGRAM_TRY(add_ids(slot, run));
    } else {
      if (pending[slot].empty()) touched.push_back(slot);
      pending[slot].insert(pending[slot].end(), run.begin(), run.end());
    }
    begin = end;
  }
  for (const std::uint32_t slot : touched) {
    MARIGRAM_TRY(add_ids(slot, pending[slot]));
    pending[slot].clear();
  }
  return {};
}

Status CoverageBuilder::State::cover(std::span<const std::int64_t> values) {
  ids.resize(values.size());
  if (const Status status = grid.ids_of(values, *unit, ids); !status) {
    return fail(status.error().code, fmt::format("{}: {}", doing, status.error().message));
  }
  if (by_series()) return cover_runs();
  covered.resize(1);
  return add_ids(0, ids);
}

IndexValue CoverageBuilder::State::index_value(std::uint64_t index_key) const {
  if (std::holds_alternative<model::UInt64Index>(index.kind)) return index_key;
  const auto raw = static_cast<std::int64_t>(index_key ^ bias);
  if (std::holds_alternative<model::Int64Index>(index.kind)) return raw;
  return Instant::from_units(raw, *unit);
}

CoverageBuilder::CoverageBuilder(Dialect dialect, const model::IndexSpec& index, Duplicates duplicates,
                                 const std::string& source)
    : state_(std::make_unique<State>(dialect, index, duplicates, source)) {}
CoverageBuilder::~CoverageBuilder() = default;

Status CoverageBuilder::add(const arrow::RecordBatch& batch) {
  State& state = *state_;
  MARIGRAM_ASSIGN(const auto values, state.read_index(batch));
  if (batch.num_rows() == 0) return {};
  state.run_slots.clear();
  if (!state.index.tags.empty()) MARIGRAM_TRY(state.read_series(batch));
  MARIGRAM_TRY(state.cover(values));
  state.note_bounds(values);
  state.note_order(values);
  if (!state.run_slots.empty()) state.last_slot = state.run_slots.back();
  state.rows += static_cast<std::uint64_t>(batch.num_rows());
  return {};
}

RowSummary CoverageBuilder::finish() {
  State& state = *state_;
  RowSummary summary;
  summary.rows = state.rows;
  summary.sorted = state.sorted;
  if (state.min_key) summary.min = state.index_value(*state.min_key);
  if (state.max_key) summary.max = state.index_value(*state.max_key);
  if (!state.index.tags.empty()) {
    summary.layout = model::MixedSeries{};
    if (state.slots.size() == 1) summary.layout = state.slots.key(0);
  }
  for (std::size_t slot = 0; slot < state.covered.size(); ++slot) {
    coverage::BucketSet set = state.covered[slot].take();
    if (set.empty()) continue;
    SeriesKey key = state.by_series() ? state.slots.key(static_cast<std::uint32_t>(slot)) : SeriesKey{};
    summary.coverage.emplace(std::move(key), std::move(set));
  }
  return summary;
}

}  // namespace marigram::segment
