#include "head/block.h"

#include <algorithm>
#include <utility>

namespace marigram::head {
namespace {

/// Appends the values of `from` at the rows `chosen`. The column has room for them.
void append_values(const model::FieldColumn* from, std::span<const std::uint32_t> chosen, StringArena& arena,
                   Column& to) {
  if (from == nullptr) return to.append_nulls(chosen.size());
  if (to.is_text()) {
    for (const std::uint32_t row : chosen) to.strings.push_back(arena.put(from->strings[row]));
  } else {
    gather(from->cells, chosen, to.cells);
  }
  if (from->valid.empty()) {
    to.valid.resize(to.valid.size() + chosen.size(), 1);
  } else {
    gather(from->valid, chosen, to.valid);
  }
}

}  // namespace

Block::Block(std::shared_ptr<const Fields> fields, std::size_t capacity, MemoryBudget& budget)
    : fields_(std::move(fields)), capacity_(capacity), rows_(*fields_) {
  series_.reserve(capacity);
  rows_.reserve(capacity);
  charge_ = MemoryCharge(budget, capacity * sizeof(SeriesId) + rows_.bytes());
}

std::size_t Block::append(const ArrivingRows& rows, std::span<const std::uint32_t> chosen) {
  chosen = chosen.first(std::min(chosen.size(), capacity_ - size()));
  gather(rows.series, chosen, series_);
  gather(rows.times, chosen, rows_.times);
  const std::size_t before = strings_.bytes();
  for (std::size_t i = 0; i < rows_.columns.size(); ++i) {
    append_values(i < rows.fields.size() ? rows.fields[i] : nullptr, chosen, strings_, rows_.columns[i]);
  }
  if (strings_.bytes() > before) charge_.grow(strings_.bytes() - before);
  return chosen.size();
}

}  // namespace marigram::head
