#include "query/asof_native.h"

#include "base/prefetch.h"
#include "base/try.h"
#include "segment/native_reader.h"
#include "table/environment.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

namespace marigram::query {

std::optional<AsofSegment> AsofSegment::make(std::shared_ptr<const segment::NativeFile> file,
                                             const model::Schema& table, const model::IndexSpec& index,
                                             const std::vector<std::string>& columns) {
  AsofSegment segment;
  const segment::NativeStructure& structure = file->structure();
  const std::size_t tags = structure.tags.size();
  const auto& stored = file->schema().columns;
  const auto is_as_in_table = [&](const model::Column& column) {
    const model::Column* const own = table.find(column.name);
    return own != nullptr && own->type == column.type && (own->nullable || !column.nullable);
  };
  std::size_t next = 0;
  for (std::size_t tag = 0; tag < index.tags.size(); ++tag) {
    if (next == tags || stored[next].name != index.tags[tag]) continue;
    if (!is_as_in_table(stored[next++])) return std::nullopt;
    segment.tags_.push_back(tag);
  }
  if (next < tags) return std::nullopt;  // in another order
  if (structure.block_columns().front().name != index.column || !is_as_in_table(stored[tags])) return std::nullopt;
  for (const std::string& name : columns) {
    if (std::ranges::find(index.tags, name) != index.tags.end()) return std::nullopt;
    const auto found = std::ranges::find(stored, name, &model::Column::name);
    const bool is_there = found != stored.end();
    if (is_there ? !is_as_in_table(*found) : !table.find(name)->nullable) return std::nullopt;
    const auto at = static_cast<std::size_t>(found - stored.begin());
    segment.blocks_[name] = is_there ? std::optional(at - tags) : std::nullopt;
  }
  segment.flips_ = std::holds_alternative<model::UInt64Index>(index.kind);
  segment.file_ = std::move(file);
  return segment;
}

std::optional<std::size_t> AsofSegment::find_series(const SeriesKey& series) const {
  if (tags_.size() == series.size()) return file_->find_series(series);
  SeriesKey own;
  for (std::size_t tag = 0; tag < series.size(); ++tag) {
    if (std::ranges::find(tags_, tag) != tags_.end()) {
      own.push_back(series[tag]);
    } else if (series[tag] != TagValue("")) {
      return std::nullopt;
    }
  }
  return file_->find_series(own);
}

AsofSegments::AsofSegments(const AsofWindows& windows, const table::Engine& engine, const model::Schema& table,
                           const model::IndexSpec& index, const std::vector<std::string>& columns)
    : windows_(windows),
      engine_(engine),
      table_(table),
      index_(index),
      columns_(columns),
      slots_(std::make_unique<Slot[]>(windows.size())) {}

Result<const AsofSegment*> AsofSegments::at(std::size_t window) const {
  const table::Cluster& segments = windows_.segments(window);
  if (segments.size() != 1 || segments.front()->format != SegmentFormat::kNative) return nullptr;
  Slot& slot = slots_[window];
  std::call_once(slot.once, [&] { open(*segments.front(), slot); });
  if (!slot.status) return std::unexpected(slot.status.error());
  return slot.segment ? &*slot.segment : nullptr;
}

void AsofSegments::open(const model::SegmentMeta& segment, Slot& slot) const {
  const table::Environment& environment = engine_.environment();
  const auto reader = environment.segments->open(*environment.store, segment);
  if (!reader) {
    slot.status = std::unexpected(reader.error());
  } else if (const auto* const native = dynamic_cast<const segment::NativeReader*>(reader->get())) {
    slot.segment = AsofSegment::make(native->file(), table_, index_, columns_);
  }
}

AsofSegmentRows::AsofSegmentRows(const AsofSegment& segment)
    : segment_(segment), cached_(segment.file().structure().block_columns().size()) {}

std::size_t AsofSegmentRows::page_of(std::uint64_t row) const {
  const auto& ends = segment_.file().structure().page_ends;
  return static_cast<std::size_t>(std::ranges::upper_bound(ends, row) - ends.begin());
}

Result<const AsofSegmentRows::Cached*> AsofSegmentRows::block(std::size_t column, std::size_t page) {
  Cached& cached = cached_[column];
  if (cached.page == page) return &cached;
  cached.page.reset();
  MARIGRAM_ASSIGN(cached.view, segment_.file().view(column, page));
  cached.page = page;
  if (column > 0 || !segment_.flips()) return &cached;
  const auto* const cells = static_cast<const std::int64_t*>(cached.view.cells);
  cached.flipped.assign(cells, cells + segment_.file().page_rows(page));
  for (std::int64_t& time : cached.flipped) time ^= INT64_MIN;
  return &cached;
}

/// Of the rows of a series those in the page.
Result<std::span<const std::int64_t>> AsofSegmentRows::times(std::size_t page, const Stretch& own) {
  MARIGRAM_ASSIGN(const Cached* cached, block(0, page));
  const auto* const cells =
      segment_.flips() ? cached->flipped.data() : static_cast<const std::int64_t*>(cached->view.cells);
  const std::uint64_t begin = segment_.file().page_begin(page);
  const std::uint64_t first = std::max(begin, own.begin);
  const std::uint64_t last = std::min(begin + segment_.file().page_rows(page), own.end);
  return std::span(cells + (first - begin), last - first);
}

/// The first time in a page or the last, if the series alone has rows there.
std::int64_t AsofSegmentRows::edge(AsofSide side, std::size_t page) const {
  const auto& statistics = segment_.file().structure().blocks.front()[page].statistics;
  const std::uint64_t cell = side == AsofSide::kBefore ? statistics.first : statistics.last;
  return static_cast<std::int64_t>(cell) ^ (segment_.flips() ? INT64_MIN : 0);
}

AsofSegmentRows::Stretch AsofSegmentRows::rows_of(const SeriesKey& series) const {
  const auto number = segment_.find_series(series);
  if (!number) return {};
  return {segment_.file().series_begin(*number), segment_.file().structure().series_ends[*number]};
}

/// The first times of a series are on their way before they are looked at.
void AsofSegmentRows::fetch_ahead(const Stretch& own) const {
  if (own.empty()) return;
  const std::size_t page = page_of(own.begin);
  const auto bytes = segment_.file().block(0, page);
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kLines = 8;
  const std::size_t begin = (own.begin - segment_.file().page_begin(page)) * sizeof(std::int64_t);  // if it is plain
  for (std::size_t at = begin; at < std::min(begin + kLines * kLine, bytes.size()); at += kLine) {
    prefetch_to_read(&bytes[at]);
  }
}

Status AsofSegmentRows::find(AsofSide side, const std::string& valid, std::span<const AsofQuestion> questions) {
  const auto column = valid.empty() ? std::nullopt : segment_.block_of(valid);
  const bool is_absent = !valid.empty() && !column;  // so null in every row
  Stretch next;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Stretch own = i == 0 ? rows_of(*questions[i].series) : next;
    if (i + 1 < questions.size()) {
      next = rows_of(*questions[i + 1].series);
      fetch_ahead(next);
    }
    std::ranges::fill(questions[i].found, AsofRow());
    if (!own.empty() && !is_absent) MARIGRAM_TRY(find(side, column, own, questions[i]));
  }
  return {};
}

Status AsofSegmentRows::find(AsofSide side, std::optional<std::size_t> valid, const Stretch& own,
                             const AsofQuestion& question) {
  if (valid && has_nulls(*valid, own)) return find_valid(side, *valid, own, question);
  const segment::NativeFile& file = segment_.file();
  auto bounds = question.bounds;
  auto found = question.found;
  const std::size_t last = page_of(own.end - 1);
  for (std::size_t page = page_of(own.begin); page <= last && !bounds.empty(); ++page) {
    // Bounds whose row is in this page: a page that the series goes on behind ends with its rows, and that begins so.
    std::size_t count = bounds.size();
    if (page < last && side == AsofSide::kBefore) {
      const std::int64_t next = edge(side, page + 1);
      count = static_cast<std::size_t>(std::ranges::lower_bound(bounds, next) - bounds.begin());
    } else if (page < last) {
      count = static_cast<std::size_t>(std::ranges::upper_bound(bounds, edge(side, page)) - bounds.begin());
    }
    if (count == 0) continue;
    MARIGRAM_ASSIGN(const auto own_times, times(page, own));
    const auto first = static_cast<std::int64_t>(std::max(file.page_begin(page), own.begin));
    find_rows(side, own_times, first, bounds.first(count), found.first(count));
    bounds = bounds.subspan(count);
    found = found.subspan(count);
  }
  return {};
}

bool AsofSegmentRows::has_nulls(std::size_t column, const Stretch& own) const {
  const auto& blocks = segment_.file().structure().blocks[column];
  const auto pages = std::span(blocks).subspan(page_of(own.begin), page_of(own.end - 1) - page_of(own.begin) + 1);
  return std::ranges::any_of(pages, [](const segment::NativeBlock& block) { return block.statistics.nulls > 0; });
}

Status AsofSegmentRows::find_valid(AsofSide side, std::size_t column, const Stretch& own,
                                   const AsofQuestion& question) {
  ChosenRows chosen;
  for (std::size_t page = page_of(own.begin); page <= page_of(own.end - 1); ++page) {
    MARIGRAM_ASSIGN(const auto own_times, times(page, own));
    MARIGRAM_ASSIGN(const Cached* values, block(column, page));
    const std::uint64_t begin = segment_.file().page_begin(page);
    const std::uint64_t first = std::max(begin, own.begin);
    for (std::size_t i = 0; i < own_times.size(); ++i) {
      if (!values->view.is_null(first - begin + i)) chosen.add(static_cast<std::int64_t>(first + i), own_times[i]);
    }
  }
  chosen.find(side, question.bounds, question.found);
  return {};
}

Status AsofSegmentRows::put(const std::string& column, const AsofPicks& picks, AsofColumn& to) {
  const auto number = segment_.block_of(column);
  if (!number) return to.put_nulls(picks);
  for (std::size_t i = 0; i < picks.rows.size();) {
    const std::size_t page = page_of(static_cast<std::uint64_t>(picks.rows[i]));
    const auto begin = static_cast<std::int64_t>(segment_.file().page_begin(page));
    const auto end = begin + static_cast<std::int64_t>(segment_.file().page_rows(page));
    const auto rest = picks.rows.subspan(i);
    const auto behind = std::ranges::find_if(rest, [&](std::int64_t row) { return row < begin || row >= end; });
    const auto count = static_cast<std::size_t>(behind - rest.begin());
    MARIGRAM_ASSIGN(const Cached* cached, block(*number, page));
    MARIGRAM_TRY(to.put(cached->view, begin, {rest.first(count), picks.to.subspan(i, count)}));
    i += count;
  }
  return {};
}

}  // namespace marigram::query
