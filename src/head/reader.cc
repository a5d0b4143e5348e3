#include "head/reader.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace marigram::head {
namespace {

/// The rows of a stretch within the times, if there are any.
std::optional<Stretch> trim(Stretch stretch, TimeSpan times) {
  const auto first = stretch.rows->times.begin();
  const auto begin = first + static_cast<std::ptrdiff_t>(stretch.begin);
  const auto end = first + static_cast<std::ptrdiff_t>(stretch.end);
  const auto from = std::lower_bound(begin, end, times.min);
  const auto to = std::upper_bound(from, end, times.max);
  if (from == to) return std::nullopt;
  stretch.begin = static_cast<std::size_t>(from - first);
  stretch.end = static_cast<std::size_t>(to - first);
  return stretch;
}

void add_trimmed(Stretch stretch, TimeSpan times, std::vector<Stretch>& out) {
  if (const auto trimmed = trim(stretch, times)) out.push_back(*trimmed);
}

constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

/// Where a series is among some, which ascend.
std::size_t place_of(SeriesId id, std::span<const SeriesId> series) {
  const auto found = std::ranges::lower_bound(series, id);
  return found == series.end() || *found != id ? kNowhere : static_cast<std::size_t>(found - series.begin());
}

/// The same for series of one shard, for who asks often.
class Places {
 public:
  /// `series`: at least one; borrowed. `times`: how often it will be asked.
  Places(std::span<const SeriesId> series, std::size_t times) : series_(series) {
    const std::size_t range = step_of(series.back()) + 1;
    if (range > times) return;  // a table of all is not worth it
    table_.resize(range, kNowhere);
    for (std::size_t place = 0; place < series.size(); ++place) table_[step_of(series[place])] = place;
  }

  std::size_t of(SeriesId id) const {
    if (table_.empty()) return place_of(id, series_);
    const std::size_t step = step_of(id);
    return step < table_.size() ? table_[step] : kNowhere;
  }

 private:
  /// Series of a shard are so far apart; what is before the first is far behind the last.
  std::size_t step_of(SeriesId id) const { return (id - series_.front()) / kShards; }

  std::span<const SeriesId> series_;
  std::vector<std::size_t> table_;
};

}  // namespace

HeadReader::HeadReader(std::vector<HeadView> views, std::shared_ptr<const Fields> fields,
                       std::vector<std::uint32_t> chosen, EqualTimes equal,
                       const std::optional<std::vector<SeriesId>>& wanted)
    : views_(std::move(views)), fields_(std::move(fields)), chosen_(std::move(chosen)), equal_(equal) {
  for (const std::uint32_t field : chosen_) chosen_fields_.push_back((*fields_)[field]);
  if (wanted) {
    wanted_.emplace();
    for (const SeriesId id : *wanted) (*wanted_)[shard_of(id)].push_back(id);
  }
  for (const HeadView& view : views_) {
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      if (view[shard].sealed) add_part(view[shard], shard);
    }
  }
}

void HeadReader::add_part(const ShardView& view, std::size_t shard) {
  Part part{.sealed = view.sealed, .runs = view.sealed->runs, .unsorted = {}};
  for (const auto& block : part.sealed->blocks) part.unsorted.push_back({block, block->size()});
  if (view.open_rows > 0) part.unsorted.push_back({view.open, view.open_rows});
  if (wanted_) {
    find_wanted(part, (*wanted_)[shard]);
  } else {
    sort(part);
  }
  parts_[shard].push_back(std::move(part));
}

void HeadReader::sort(Part& part) {
  for (const Unsorted& rows : std::exchange(part.unsorted, {})) {
    part.runs.push_back(sort_block(*rows.block, rows.rows, equal_, *scratch_));
  }
}

void HeadReader::find_wanted(Part& part, std::span<const SeriesId> wanted) {
  if (wanted.empty()) return;
  std::size_t count = 0;
  for (const Unsorted& rows : part.unsorted) count += rows.rows;
  const Places places(wanted, count);
  for (Unsorted& rows : part.unsorted) {
    rows.positions.resize(wanted.size());
    const SeriesId* const ids = rows.block->series().data();
    for (std::uint32_t row = 0; row < rows.rows; ++row) {
      const std::size_t place = places.of(ids[row]);
      if (place != kNowhere) rows.positions[place].push_back(row);
    }
  }
}

std::vector<SeriesId> HeadReader::series() const {
  std::vector<SeriesId> all;
  for (const auto& parts : parts_) {
    for (const Part& part : parts) {
      for (const auto& chunks : part.sealed->chunks) {
        std::ranges::transform(chunks->entries, std::back_inserter(all), &ChunkEntry::series);
      }
      for (const auto& run : part.runs) all.insert(all.end(), run->series.begin(), run->series.end());
      for (const Unsorted& rows : part.unsorted) {
        const SeriesId* const ids = rows.block->series().data();
        all.insert(all.end(), ids, ids + rows.rows);
      }
    }
  }
  std::ranges::sort(all);
  const auto rest = std::ranges::unique(all);
  all.erase(rest.begin(), rest.end());
  return all;
}

Rows HeadReader::no_rows() const {
  return Rows(chosen_fields_);
}

Status HeadReader::collect(const Part& part, SeriesId id, TimeSpan times, std::vector<Rows>& decoded,
                           std::vector<Stretch>& stretches) const {
  const auto add_decoded = [&](Rows rows) {
    if (rows.size() == 0) return;
    decoded.push_back(std::move(rows));
    add_trimmed({.rows = &decoded.back(), .begin = 0, .end = decoded.back().size()}, times, stretches);
  };
  for (const auto& chunks : part.sealed->chunks) {
    for (const ChunkEntry& entry : chunks->find(id)) {
      if (entry.max < times.min || entry.info.min > times.max) continue;
      Rows rows = no_rows();
      if (!decode_chunk(chunks->chunk(entry), entry.info, *chunks->fields, chosen_, rows)) {
        return fail(ErrorCode::kInternal, fmt::format("cannot read series {}: a chunk in memory is damaged", id));
      }
      add_decoded(std::move(rows));
    }
  }
  for (const auto& run : part.runs) {
    auto stretch = run->find(id);
    if (!stretch) continue;
    stretch->chosen = chosen_;
    add_trimmed(*stretch, times, stretches);
  }
  if (part.unsorted.empty()) return {};
  const std::size_t place = place_of(id, (*wanted_)[shard_of(id)]);
  if (place == kNowhere) return {};
  for (const Unsorted& rows : part.unsorted) {
    add_decoded(rows_at(*rows.block, rows.positions[place], equal_, chosen_fields_, chosen_));
  }
  return {};
}

Status HeadReader::read(SeriesId id, TimeSpan times, Rows& out) const {
  std::vector<Rows> decoded;  // stretches point into it
  std::vector<Stretch> stretches;
  const auto& parts = parts_[shard_of(id)];
  std::size_t pieces = 0;
  for (const Part& part : parts) {
    pieces += part.unsorted.size();
    for (const auto& chunks : part.sealed->chunks) pieces += chunks->find(id).size();
  }
  decoded.reserve(pieces);
  for (const Part& part : parts) MARIGRAM_TRY(collect(part, id, times, decoded, stretches));
  merge_stretches(stretches, equal_, out);
  return {};
}

}  // namespace marigram::head
