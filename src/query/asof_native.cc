#include "query/asof_native.h"

#include "base/prefetch.h"
#include "base/try.h"

#include <algorithm>
#include <ranges>
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

std::vector<AsofSegmentRows::Block> AsofSegmentRows::blocks_of(std::span<const AsofTarget> columns) const {
  std::vector<Block> blocks;
  blocks.reserve(columns.size());
  for (const AsofTarget& target : columns) blocks.push_back(segment_.block_of(target.name));
  return blocks;
}

Status AsofSegmentRows::find(AsofSide side, const std::string& valid, std::span<const AsofTarget> columns,
                             std::span<const AsofQuestion> questions) {
  const Block column = valid.empty() ? Block() : segment_.block_of(valid);
  const bool is_absent = !valid.empty() && !column;  // so null in every row
  const std::vector<Block> blocks = blocks_of(columns);
  Stretch next;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Stretch own = i == 0 ? rows_of(*questions[i].series) : next;
    if (i + 1 < questions.size()) {
      next = rows_of(*questions[i + 1].series);
      fetch_ahead(next);
    }
    std::ranges::fill(questions[i].found, AsofRow());
    if (own.empty() || is_absent) continue;
    MARIGRAM_TRY(column && has_nulls(*column, own) ? find_valid(side, *column, own, questions[i])
                                                   : find(side, blocks, own, questions[i]));
  }
  return segment_.file().check_whole();
}

Status AsofSegmentRows::find(AsofSide side, const std::vector<Block>& columns, const Stretch& own,
                             const AsofQuestion& question) {
  const segment::NativeFile& file = segment_.file();
  auto bounds = question.bounds;
  auto found = question.found;
  const std::size_t last = file.page_of(own.end - 1);
  for (std::size_t page = file.page_of(own.begin); !bounds.empty(); ++page) {
    page = page_of(side, bounds.front(), page, last);
    // Bounds whose row is in this page: a page that the series goes on behind ends with its rows, and that begins so.
    std::size_t count = bounds.size();
    if (page < last && side == AsofSide::kBefore) {
      const std::int64_t next = edge(side, page + 1);
      count = static_cast<std::size_t>(std::ranges::lower_bound(bounds, next) - bounds.begin());
    } else if (page < last) {
      count = static_cast<std::size_t>(std::ranges::upper_bound(bounds, edge(side, page)) - bounds.begin());
    }
    if (!take_edge(side, page, own, bounds.first(count), found.first(count))) {
      MARIGRAM_ASSIGN(const auto own_times, times(page, own));
      const std::uint64_t first = std::max(file.page_begin(page), own.begin);
      MARIGRAM_TRY(fetch_from(columns, page, first));
      find_rows(side, own_times, static_cast<std::int64_t>(first), bounds.first(count), found.first(count), fetch_);
    }
    bounds = bounds.subspan(count);
    found = found.subspan(count);
  }
  return {};
}

/// Of the pages `first` to `last` of a series the one that has the row of the bound.
std::size_t AsofSegmentRows::page_of(AsofSide side, std::int64_t bound, std::size_t first, std::size_t last) const {
  const auto is_beyond = [&](std::size_t page) {
    return side == AsofSide::kBefore ? edge(side, page + 1) <= bound : edge(side, page) < bound;
  };
  return *std::ranges::partition_point(std::views::iota(first, last), is_beyond);
}

/// Sets fetch_: values of the page's rows from `first` on that lie in the file as they are.
Status AsofSegmentRows::fetch_from(const std::vector<Block>& columns, std::size_t page, std::uint64_t first) {
  const segment::NativeFile& file = segment_.file();
  fetch_.clear();
  for (const Block column : columns) {
    if (!column || !file.is_plain(*column, page)) continue;
    MARIGRAM_ASSIGN(const Cached* cached, block(*column, page));
    const auto* const cells = static_cast<const std::uint8_t*>(cached->view.cells);
    const std::size_t width = cached->view.width;
    fetch_.push_back({cells + (first - file.page_begin(page)) * width, width});
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

/// The rows of a page that are the series', and not null: calls add(row, time) for each until it says that is enough.
template <typename Add>
Result<bool> AsofSegmentRows::for_valid(std::size_t column, std::size_t page, const Stretch& own, Add add) {
  MARIGRAM_ASSIGN(const auto own_times, times(page, own));
  MARIGRAM_ASSIGN(const Cached* values, block(column, page));
  const std::uint64_t begin = segment_.file().page_begin(page);
  const std::uint64_t first = std::max(begin, own.begin);
  for (std::size_t i = 0; i < own_times.size(); ++i) {
    if (values->view.is_null(first - begin + i)) continue;
    if (add(static_cast<std::int64_t>(first + i), own_times[i])) return true;
  }
  return false;
}

Status AsofSegmentRows::find_valid(AsofSide side, std::size_t column, const Stretch& own,
                                   const AsofQuestion& question) {
  const std::size_t last = segment_.file().page_of(own.end - 1);
  const std::size_t first = segment_.file().page_of(own.begin);
  const bool before = side == AsofSide::kBefore;
  std::size_t begin = page_of(side, question.bounds.front(), first, last);
  std::size_t end = page_of(side, question.bounds.back(), begin, last);
  // What the first bound meets may be pages before it, or what the last does pages behind.
  const auto answers = [&](std::int64_t /*row*/, std::int64_t time) {
    return before ? time <= question.bounds.front() : time >= question.bounds.back();
  };
  for (std::size_t& page = before ? begin : end; page != (before ? first : last); before ? --page : ++page) {
    MARIGRAM_ASSIGN(const bool is_enough, for_valid(column, page, own, answers));
    if (is_enough) break;
  }
  ChosenRows chosen;
  const auto keep = [&](std::int64_t row, std::int64_t time) {
    chosen.add(row, time);
    return false;
  };
  for (std::size_t page = begin; page <= end; ++page) MARIGRAM_TRY(for_valid(column, page, own, keep));
  chosen.find(side, question.bounds, question.found);
  return {};
}

Status AsofSegmentRows::put(std::span<const AsofTarget> columns, const AsofPicks& picks) {
  const segment::NativeFile& file = segment_.file();
  const std::vector<Block> blocks = blocks_of(columns);
  for (std::size_t i = 0; i < picks.rows.size();) {
    const std::size_t page = file.page_of(static_cast<std::uint64_t>(picks.rows[i]));
    const auto begin = static_cast<std::int64_t>(file.page_begin(page));
    const auto end = begin + static_cast<std::int64_t>(file.page_rows(page));
    const auto rest = picks.rows.subspan(i);
    const auto behind = std::ranges::find_if(rest, [&](std::int64_t row) { return row < begin || row >= end; });
    const auto count = static_cast<std::size_t>(behind - rest.begin());
    const AsofPicks own{rest.first(count), picks.to.subspan(i, count)};
    for (std::size_t k = 0; k < columns.size(); ++k) MARIGRAM_TRY(put(blocks[k], page, own, *columns[k].column));
    i += count;
  }
  return file.check_whole();
}

/// Picks of one page.
Status AsofSegmentRows::put(Block column, std::size_t page, const AsofPicks& picks, AsofColumn& to) {
  if (!column) return to.put_nulls(picks);
  MARIGRAM_ASSIGN(const bool is_put, put_edge(*column, page, picks, to));
  if (is_put) return {};
  MARIGRAM_ASSIGN(const Cached* cached, block(*column, page));
  return to.put(cached->view, static_cast<std::int64_t>(segment_.file().page_begin(page)), picks);
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

// ---- several segments ----

AsofChain::AsofChain(std::span<const NativeSegment> segments) : segments_(segments) {
  std::int64_t begin = 0;
  for (const NativeSegment& segment : segments) {
    const auto end = begin + static_cast<std::int64_t>(segment.file().structure().rows());
    links_.push_back({.rows = AsofSegmentRows(segment), .begin = begin, .end = end});
    begin = end;
  }
}

/// Those that may have rows of the series; they ascend by time.
std::span<AsofChain::Link> AsofChain::links_of(const SeriesKey& series) {
  const auto first = std::ranges::lower_bound(segments_, series, {}, &NativeSegment::last_key);
  const auto last = std::ranges::upper_bound(first, segments_.end(), series, {}, &NativeSegment::first_key);
  return std::span(links_).subspan(static_cast<std::size_t>(first - segments_.begin()),
                                   static_cast<std::size_t>(last - first));
}

Status AsofChain::find(AsofSide side, const std::string& valid, std::span<const AsofTarget> columns,
                       std::span<const AsofQuestion> questions) {
  for (std::size_t i = 0; i < questions.size();) {
    const auto links = links_of(*questions[i].series);
    std::size_t end = i + 1;
    if (links.size() == 1) {
      const auto is_alike = [&](const AsofQuestion& question) {
        const auto other = links_of(*question.series);
        return other.size() == 1 && other.data() == links.data();
      };
      while (end < questions.size() && (links_.size() == 1 || is_alike(questions[end]))) ++end;
      MARIGRAM_TRY(find(links.front(), side, valid, columns, questions.subspan(i, end - i)));
    } else {
      MARIGRAM_TRY(find(links, side, valid, columns, questions[i]));
    }
    i = end;
  }
  return {};
}

Status AsofChain::find(Link& link, AsofSide side, const std::string& valid, std::span<const AsofTarget> columns,
                       std::span<const AsofQuestion> questions) {
  MARIGRAM_TRY(link.rows.find(side, valid, columns, questions));
  if (link.begin == 0) return {};
  for (const AsofQuestion& question : questions) {
    for (AsofRow& row : question.found) row.row += row.is_there() ? link.begin : 0;
  }
  return {};
}

/// Of each bound the row of the last link that has one before it, or of the first that has one behind it.
Status AsofChain::find(std::span<Link> links, AsofSide side, const std::string& valid,
                       std::span<const AsofTarget> columns, const AsofQuestion& question) {
  std::ranges::fill(question.found, AsofRow());
  std::vector<AsofRow> found(question.found.size());
  const AsofQuestion asked{.series = question.series, .bounds = question.bounds, .found = found};
  for (Link& link : links) {
    MARIGRAM_TRY(find(link, side, valid, columns, {&asked, 1}));
    for (std::size_t i = 0; i < found.size(); ++i) {
      const bool takes = found[i].is_there() && (side == AsofSide::kBefore || !question.found[i].is_there());
      if (takes) question.found[i] = found[i];
    }
  }
  return {};
}

Status AsofChain::put(std::span<const AsofTarget> columns, const AsofPicks& picks) {
  std::vector<std::int64_t> within;
  for (std::size_t i = 0; i < picks.rows.size();) {
    Link& link = *std::ranges::upper_bound(links_, picks.rows[i], {}, &Link::end);
    if (links_.size() == 1) return link.rows.put(columns, picks);
    within.clear();
    for (std::size_t k = i; k < picks.rows.size() && picks.rows[k] >= link.begin && picks.rows[k] < link.end; ++k) {
      within.push_back(picks.rows[k] - link.begin);
    }
    MARIGRAM_TRY(link.rows.put(columns, {within, picks.to.subspan(i, within.size())}));
    i += within.size();
  }
  return {};
}

}  // namespace marigram::query
