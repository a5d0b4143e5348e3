#include "head/run.h"

#include "head/stable_sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

namespace marigram::head {
namespace {

/// Positions of rows.
using Order = std::vector<std::uint32_t>;

/// The positions by (series, arrival): least significant digit first, each pass stable.
Order order_by_series(std::span<const SeriesId> series) {
  constexpr unsigned kDigitBits = 11;
  constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  Order order(series.size());
  std::iota(order.begin(), order.end(), 0U);
  SeriesId all = 0;
  for (const SeriesId id : series) all |= id;
  Order next(series.size());
  for (unsigned shift = 0; shift < static_cast<unsigned>(std::bit_width(all)); shift += kDigitBits) {
    const auto digit = [&](std::uint32_t row) { return (series[row] >> shift) % kDigits; };
    std::array<std::uint32_t, kDigits + 1> begins{};
    for (const std::uint32_t row : order) ++begins[digit(row) + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    for (const std::uint32_t row : order) next[begins[digit(row)]++] = row;
    order.swap(next);
  }
  return order;
}

/// Sorts positions of one series' rows by time, leaves out what equal times replace, and returns how many stay.
std::size_t order_by_time(std::span<std::uint32_t> order, const std::int64_t* times, EqualTimes equal) {
  const auto time = [&](std::uint32_t row) { return times[row]; };
  stable_sort_by(order, time);
  if (equal == EqualTimes::kKeep) return order.size();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i + 1 == order.size() || time(order[i + 1]) != time(order[i])) order[kept++] = order[i];
  }
  return kept;
}

void gather_rows(const Rows& from, std::span<const std::uint32_t> order, std::span<const std::uint32_t> chosen,
                 Rows& to) {
  gather(from.times, order, to.times);
  for (std::size_t i = 0; i < to.columns.size(); ++i) {
    Column& column = to.columns[i];
    if (chosen[i] >= from.columns.size()) {
      column.append_nulls(order.size());
      continue;
    }
    const Column& values = from.columns[chosen[i]];
    if (column.is_text()) {
      gather(values.strings, order, column.strings);
    } else {
      gather(values.cells, order, column.cells);
    }
    gather(values.valid, order, column.valid);
  }
}

Order all_of(std::size_t count) {
  Order all(count);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

}  // namespace

std::optional<Stretch> Run::find(SeriesId id) const {
  const auto found = std::ranges::lower_bound(series, id);
  if (found == series.end() || *found != id) return std::nullopt;
  return stretch(static_cast<std::size_t>(found - series.begin()));
}

RunPtr sort_block(const Block& block, std::size_t count, EqualTimes equal, MemoryBudget& budget) {
  auto run = std::make_shared<Run>();
  run->fields = block.fields();
  const SeriesId* const ids = block.series().data();
  Order order = order_by_series({ids, count});
  std::size_t kept = 0;
  for (std::size_t begin = 0; begin < count;) {
    const SeriesId id = ids[order[begin]];
    std::size_t end = begin + 1;
    while (end < count && ids[order[end]] == id) ++end;
    run->series.push_back(id);
    run->begins.push_back(static_cast<std::uint32_t>(kept));
    const std::size_t stay =
        order_by_time(std::span(order).subspan(begin, end - begin), block.rows().times.data(), equal);
    std::copy_n(order.begin() + static_cast<std::ptrdiff_t>(begin), stay,
                order.begin() + static_cast<std::ptrdiff_t>(kept));
    kept += stay;
    begin = end;
  }
  run->begins.push_back(static_cast<std::uint32_t>(kept));
  run->rows = Rows(*run->fields);
  gather_rows(block.rows(), std::span(order).first(kept), all_of(run->fields->size()), run->rows);
  run->rows.keep_strings(0, run->strings);
  run->charge = MemoryCharge(budget, run->rows.bytes() + run->strings.bytes() + run->series.capacity() * 8);
  return run;
}

Rows rows_at(const Block& block, Order positions, EqualTimes equal, const Fields& fields,
             std::span<const std::uint32_t> chosen) {
  positions.resize(order_by_time(positions, block.rows().times.data(), equal));
  Rows rows(fields);
  gather_rows(block.rows(), positions, chosen, rows);
  return rows;
}

RunPtr merge_runs(const Run& older, const Run& newer, EqualTimes equal, MemoryBudget& budget) {
  RunBuilder builder(newer.fields, older.rows.size() + newer.rows.size());
  std::size_t i = 0;
  std::size_t j = 0;
  std::array<Stretch, 2> both;
  while (i < older.series.size() || j < newer.series.size()) {
    const bool in_older = i < older.series.size() && (j == newer.series.size() || older.series[i] <= newer.series[j]);
    const bool in_newer = j < newer.series.size() && (i == older.series.size() || newer.series[j] <= older.series[i]);
    const SeriesId id = in_older ? older.series[i] : newer.series[j];
    std::size_t count = 0;
    if (in_older) both[count++] = older.stretch(i++);
    if (in_newer) both[count++] = newer.stretch(j++);
    builder.add(id, std::span(both).first(count), equal);
  }
  return builder.finish(budget);
}

RunBuilder::RunBuilder(std::shared_ptr<const Fields> fields, std::size_t rows_expected)
    : run_(std::make_shared<Run>()) {
  run_->rows = Rows(*fields);
  run_->rows.reserve(rows_expected);
  run_->fields = std::move(fields);
}

void RunBuilder::add(SeriesId id, std::span<const Stretch> stretches, EqualTimes equal) {
  const std::size_t before = run_->rows.size();
  run_->series.push_back(id);
  run_->begins.push_back(static_cast<std::uint32_t>(before));
  merge_stretches(stretches, equal, run_->rows);
  run_->rows.keep_strings(before, run_->strings);
}

RunPtr RunBuilder::finish(MemoryBudget& budget) {
  Run& run = *run_;
  run.begins.push_back(static_cast<std::uint32_t>(run.rows.size()));
  run.charge = MemoryCharge(budget, run.rows.bytes() + run.strings.bytes() + run.series.capacity() * 8);
  return std::move(run_);
}

}  // namespace marigram::head
