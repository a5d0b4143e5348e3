#include "head/reader.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

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

}  // namespace

HeadReader::HeadReader(std::vector<HeadView> views, std::shared_ptr<const Fields> fields,
                       std::vector<std::uint32_t> chosen, EqualTimes equal, bool all)
    : views_(std::move(views)), fields_(std::move(fields)), chosen_(std::move(chosen)), equal_(equal) {
  for (const std::uint32_t field : chosen_) chosen_fields_.push_back((*fields_)[field]);
  for (const HeadView& view : views_) {
    for (std::size_t i = 0; i < kShards; ++i) {
      if (!view[i].sealed) continue;
      Part part{.sealed = view[i].sealed, .runs = view[i].sealed->runs, .unsorted = {}};
      for (const auto& block : part.sealed->blocks) part.unsorted.push_back({block, block->size()});
      if (view[i].open_rows > 0) part.unsorted.push_back({view[i].open, view[i].open_rows});
      if (all) {
        for (const Unsorted& rows : std::exchange(part.unsorted, {})) {
          part.runs.push_back(sort_block(*rows.block, rows.rows, equal_, *scratch_));
        }
      }
      parts_[i].push_back(std::move(part));
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
  for (const Unsorted& rows : part.unsorted) {
    add_decoded(rows_of_series(*rows.block, rows.rows, id, equal_, chosen_fields_, chosen_));
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
