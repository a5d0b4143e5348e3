#include "column_search.h"

#include "bench_support.h"

#include <arrow/api.h>
#include <arrow/io/file.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <utility>

namespace marigram::bench {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using Day = ColumnSearch::Day;

constexpr std::int64_t kDayUs = 86'400'000'000;

template <typename T>
std::span<const T> map_column(const std::filesystem::path& path, std::vector<std::shared_ptr<arrow::Buffer>>& mapped) {
  const auto file = need(arrow::io::MemoryMappedFile::Open(path.string(), arrow::io::FileMode::READ));
  mapped.push_back(need(file->Read(need(file->GetSize()))));
  return {reinterpret_cast<const T*>(mapped.back()->data()),
          static_cast<std::size_t>(mapped.back()->size()) / sizeof(T)};
}

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

std::size_t find(const Day& day, std::int64_t symbol, std::int64_t time, bool backward) {
  const auto found = std::ranges::lower_bound(day.symbols, symbol);
  if (found == day.symbols.end() || *found != symbol) return kNone;
  const auto i = static_cast<std::size_t>(found - day.symbols.begin());
  const auto begin = static_cast<std::size_t>(day.begins[i]);
  const auto own = day.times.subspan(begin, static_cast<std::size_t>(day.begins[i + 1]) - begin);
  if (backward) {
    const auto row = static_cast<std::size_t>(std::ranges::upper_bound(own, time) - own.begin());
    return row == 0 ? kNone : begin + row - 1;
  }
  const auto row = static_cast<std::size_t>(std::ranges::lower_bound(own, time) - own.begin());
  return row == own.size() ? kNone : begin + row;
}

/// Of its own day, or of the next one that there is in that direction.
std::pair<const Day*, std::size_t> look_up(const std::map<std::int64_t, Day>& days, std::int64_t symbol,
                                           std::int64_t time, bool backward) {
  auto at = days.find(time / kDayUs);
  if (at == days.end()) return {nullptr, kNone};
  const std::size_t row = find(at->second, symbol, time, backward);
  if (row != kNone) return {&at->second, row};
  if (backward ? at == days.begin() : std::next(at) == days.end()) return {nullptr, kNone};
  at = backward ? std::prev(at) : std::next(at);
  return {&at->second, find(at->second, symbol, time, backward)};
}

}  // namespace

ColumnSearch::ColumnSearch(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto& path = entry.path();
    days_[std::stoll(path.filename().string())] = {.symbols = map_column<std::int64_t>(path / "symbols", mapped_),
                                                   .begins = map_column<std::int64_t>(path / "begins", mapped_),
                                                   .times = map_column<std::int64_t>(path / "times", mapped_),
                                                   .bid = map_column<double>(path / "bid", mapped_),
                                                   .ask = map_column<double>(path / "ask", mapped_)};
  }
}

BatchPtr ColumnSearch::join(const BatchPtr& probes, bool backward) const {
  const auto& symbols = static_cast<const arrow::Int64Array&>(*probes->GetColumnByName("number"));
  const auto& times = static_cast<const arrow::TimestampArray&>(*probes->GetColumnByName("ts"));
  arrow::DoubleBuilder bid;
  arrow::DoubleBuilder ask;
  arrow::TimestampBuilder matched(times.type(), arrow::default_memory_pool());
  need(bid.Reserve(probes->num_rows()));
  need(ask.Reserve(probes->num_rows()));
  need(matched.Reserve(probes->num_rows()));
  for (std::int64_t i = 0; i < probes->num_rows(); ++i) {
    const auto [day, row] = look_up(days_, symbols.Value(i), times.Value(i), backward);
    if (row == kNone) {
      bid.UnsafeAppendNull();
      ask.UnsafeAppendNull();
      matched.UnsafeAppendNull();
    } else {
      bid.UnsafeAppend(day->bid[row]);
      ask.UnsafeAppend(day->ask[row]);
      matched.UnsafeAppend(day->times[row]);
    }
  }
  arrow::ArrayVector columns = probes->columns();
  for (auto* builder : std::initializer_list<arrow::ArrayBuilder*>{&bid, &ask, &matched})
    columns.push_back(need(builder->Finish()));
  arrow::FieldVector fields = probes->schema()->fields();
  for (const char* name : {"bid", "ask"}) fields.push_back(arrow::field(name, arrow::float64()));
  fields.push_back(arrow::field("matched_time", times.type()));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), probes->num_rows(), std::move(columns));
}

}  // namespace marigram::bench
