#include "query/asof_native.h"

#include "base/prefetch.h"
#include "base/try.h"

#include <algorithm>
#include <span>

namespace marigram::query {

AsofSegmentRows::AsofSegmentRows(const NativeSegment& segment)
    : segment_(segment), cached_(segment.file().structure().block_columns().size()) {}

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
  const segment::PageTimes times = segment_.file().page_times(page);
  const std::uint64_t cell = side == AsofSide::kBefore ? times.first : times.last;
  return static_cast<std::int64_t>(cell) ^ (segment_.flips() ? INT64_MIN : 0);
}

/// Where all bounds are beyond a page's rows they meet its last row, or the first: statistics know its time. False
/// where that is not so.
bool AsofSegmentRows::take_edge(AsofSide side, std::size_t page, const Stretch& own,
                                std::span<const std::int64_t> bounds, std::span<AsofRow> found) const {
  const std::uint64_t begin = segment_.file().page_begin(page);
  const std::uint64_t end = begin + segment_.file().page_rows(page);
  const bool before = side == AsofSide::kBefore;
  if (before ? end > own.end : begin < own.begin) return false;
  const std::int64_t time = edge(before ? AsofSide::kAfter : AsofSide::kBefore, page);
  if (before ? bounds.front() < time : bounds.back() > time) return false;
  std::ranges::fill(found, AsofRow{static_cast<std::int64_t>(before ? end - 1 : begin), time});
  return true;
}

AsofSegmentRows::Stretch AsofSegmentRows::rows_of(const SeriesKey& series) const {
  const auto number = segment_.find_series(series);
  if (!number) return {};
  return {segment_.file().series_begin(*number), segment_.file().structure().series_ends[*number]};
}

/// The first times of a series are on their way before they are looked at.
void AsofSegmentRows::fetch_ahead(const Stretch& own) const {
  if (own.empty()) return;
  const std::size_t page = segment_.file().page_of(own.begin);
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
  return segment_.file().check_whole();
}

Status AsofSegmentRows::find(AsofSide side, std::optional<std::size_t> valid, const Stretch& own,
                             const AsofQuestion& question) {
  if (valid && has_nulls(*valid, own)) return find_valid(side, *valid, own, question);
  const segment::NativeFile& file = segment_.file();
  auto bounds = question.bounds;
  auto found = question.found;
  const std::size_t last = segment_.file().page_of(own.end - 1);
  for (std::size_t page = segment_.file().page_of(own.begin); page <= last && !bounds.empty(); ++page) {
    // Bounds whose row is in this page: a page that the series goes on behind ends with its rows, and that begins so.
    std::size_t count = bounds.size();
    if (page < last && side == AsofSide::kBefore) {
      const std::int64_t next = edge(side, page + 1);
      count = static_cast<std::size_t>(std::ranges::lower_bound(bounds, next) - bounds.begin());
    } else if (page < last) {
      count = static_cast<std::size_t>(std::ranges::upper_bound(bounds, edge(side, page)) - bounds.begin());
    }
    if (count == 0) continue;
    if (!take_edge(side, page, own, bounds.first(count), found.first(count))) {
      MARIGRAM_ASSIGN(const auto own_times, times(page, own));
      const auto first = static_cast<std::int64_t>(std::max(file.page_begin(page), own.begin));
      find_rows(side, own_times, first, bounds.first(count), found.first(count));
    }
    bounds = bounds.subspan(count);
    found = found.subspan(count);
  }
  return {};
}

bool AsofSegmentRows::has_nulls(std::size_t column, const Stretch& own) const {
  if (!segment_.file().has_statistics()) return true;  // for all that is known
  const auto& blocks = segment_.file().structure().blocks[column];
  const auto pages =
      std::span(blocks).subspan(segment_.file().page_of(own.begin),
                                segment_.file().page_of(own.end - 1) - segment_.file().page_of(own.begin) + 1);
  return std::ranges::any_of(pages, [](const segment::NativeBlock& block) { return block.statistics.nulls > 0; });
}

Status AsofSegmentRows::find_valid(AsofSide side, std::size_t column, const Stretch& own,
                                   const AsofQuestion& question) {
  ChosenRows chosen;
  for (std::size_t page = segment_.file().page_of(own.begin); page <= segment_.file().page_of(own.end - 1); ++page) {
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
    const std::size_t page = segment_.file().page_of(static_cast<std::uint64_t>(picks.rows[i]));
    const auto begin = static_cast<std::int64_t>(segment_.file().page_begin(page));
    const auto end = begin + static_cast<std::int64_t>(segment_.file().page_rows(page));
    const auto rest = picks.rows.subspan(i);
    const auto behind = std::ranges::find_if(rest, [&](std::int64_t row) { return row < begin || row >= end; });
    const auto count = static_cast<std::size_t>(behind - rest.begin());
    const AsofPicks own{rest.first(count), picks.to.subspan(i, count)};
    i += count;
    MARIGRAM_ASSIGN(const bool is_put, put_edge(*number, page, own, to));
    if (is_put) continue;
    MARIGRAM_ASSIGN(const Cached* cached, block(*number, page));
    MARIGRAM_TRY(to.put(cached->view, begin, own));
  }
  return segment_.file().check_whole();
}

/// If all picks are a page's last row, or its first, and statistics know its value: puts that.
Result<bool> AsofSegmentRows::put_edge(std::size_t column, std::size_t page, const AsofPicks& picks, AsofColumn& to) {
  const auto first = static_cast<std::int64_t>(segment_.file().page_begin(page));
  const auto last = first + static_cast<std::int64_t>(segment_.file().page_rows(page)) - 1;
  const std::int64_t row = picks.rows.front();
  if (cached_[column].page == page || (row != first && row != last) || !segment_.file().has_statistics()) return false;
  const segment::NativeStructure& structure = segment_.file().structure();
  const segment::BlockStatistics& statistics = structure.blocks[column][page].statistics;
  if (statistics.nulls > 0 || structure.block_columns()[column].kind == segment::ValueKind::kText) return false;
  if (std::ranges::count(picks.rows, row) != std::ssize(picks.rows)) return false;
  const segment::BlockView value{.cells = row == last ? &statistics.last : &statistics.first};
  MARIGRAM_TRY(to.put(value, row, picks));
  return true;
}

}  // namespace marigram::query
