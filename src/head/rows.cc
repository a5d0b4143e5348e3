#include "head/rows.h"

#include "head/stable_sort.h"
#include "head/string_arena.h"

#include <algorithm>
#include <utility>

namespace marigram::head {
namespace {

template <typename T>
void append_range(std::vector<T>& to, const std::vector<T>& from, std::size_t begin, std::size_t count) {
  const auto first = from.begin() + static_cast<std::ptrdiff_t>(begin);
  to.insert(to.end(), first, first + static_cast<std::ptrdiff_t>(count));
}

/// Whether appending them one after the other gives rows in order, none to be left out.
bool are_apart(std::span<const Stretch> stretches, EqualTimes equal) {
  for (const Stretch& stretch : stretches) {
    if (equal == EqualTimes::kKeep) break;
    const auto& times = stretch.rows->times;
    const auto first = times.begin() + static_cast<std::ptrdiff_t>(stretch.begin);
    const auto last = times.begin() + static_cast<std::ptrdiff_t>(stretch.end);
    if (std::adjacent_find(first, last) != last) return false;
  }
  for (std::size_t i = 1; i < stretches.size(); ++i) {
    const std::int64_t before = stretches[i - 1].rows->times[stretches[i - 1].end - 1];
    const std::int64_t next = stretches[i].rows->times[stretches[i].begin];
    if (next < before || (next == before && equal == EqualTimes::kLast)) return false;
  }
  return true;
}

struct RowAt {
  std::int64_t time;
  std::uint32_t stretch;
  std::uint32_t row;
};

/// Appends rows of the order, those that follow each other at once.
void append_in_order(std::span<const RowAt> order, std::span<const Stretch> stretches, Rows& out) {
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && order[end].stretch == order[i].stretch &&
           order[end].row == order[i].row + static_cast<std::uint32_t>(end - i)) {
      ++end;
    }
    const Stretch& stretch = stretches[order[i].stretch];
    out.append(*stretch.rows, order[i].row, end - i, stretch.chosen);
    i = end;
  }
}

}  // namespace

void Column::reserve(std::size_t rows) {
  if (is_text()) {
    strings.reserve(rows);
  } else {
    cells.reserve(rows);
  }
  valid.reserve(rows);
}

void Column::append(const Column& from, std::size_t begin, std::size_t count) {
  if (is_text()) {
    append_range(strings, from.strings, begin, count);
  } else {
    append_range(cells, from.cells, begin, count);
  }
  append_range(valid, from.valid, begin, count);
}

void Column::append_nulls(std::size_t count) {
  valid.resize(valid.size() + count);
  if (is_text()) {
    strings.resize(valid.size());
  } else {
    cells.resize(valid.size());
  }
}

Rows::Rows(const Fields& fields) {
  columns.reserve(fields.size());
  for (const FieldSpec& field : fields) columns.emplace_back(field.type);
}

void Rows::reserve(std::size_t rows) {
  times.reserve(rows);
  for (Column& column : columns) column.reserve(rows);
}

void Rows::append(const Rows& from, std::size_t begin, std::size_t count, std::span<const std::uint32_t> chosen) {
  append_range(times, from.times, begin, count);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::size_t source = chosen.empty() ? i : chosen[i];
    if (source < from.columns.size()) {
      columns[i].append(from.columns[source], begin, count);
    } else {
      columns[i].append_nulls(count);
    }
  }
}

void Rows::keep_strings(std::size_t begin, StringArena& arena) {
  for (Column& column : columns) {
    for (std::size_t i = begin; i < column.strings.size(); ++i) column.strings[i] = arena.put(column.strings[i]);
  }
}

std::size_t Rows::bytes() const {
  std::size_t bytes = times.capacity() * sizeof(std::int64_t);
  for (const Column& column : columns) {
    bytes += column.cells.capacity() * sizeof(std::uint64_t) + column.strings.capacity() * sizeof(std::string_view) +
             column.valid.capacity();
  }
  return bytes;
}

void merge_stretches(std::span<const Stretch> stretches, EqualTimes equal, Rows& out) {
  if (are_apart(stretches, equal)) {
    for (const Stretch& stretch : stretches) {
      out.append(*stretch.rows, stretch.begin, stretch.end - stretch.begin, stretch.chosen);
    }
    return;
  }
  std::vector<RowAt> order;
  std::size_t rows = 0;
  for (const Stretch& stretch : stretches) rows += stretch.end - stretch.begin;
  order.reserve(rows);
  for (std::uint32_t i = 0; i < stretches.size(); ++i) {
    for (std::size_t row = stretches[i].begin; row < stretches[i].end; ++row) {
      order.push_back({stretches[i].rows->times[row], i, static_cast<std::uint32_t>(row)});
    }
  }
  stable_sort_by(std::span(order), [](const RowAt& row) { return row.time; });
  if (equal == EqualTimes::kLast) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i + 1 == order.size() || order[i + 1].time != order[i].time) order[kept++] = order[i];
    }
    order.resize(kept);
  }
  append_in_order(order, stretches, out);
}

}  // namespace marigram::head
