#include "head/tag_column.h"

#include "head/text_hash.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::head {
namespace {

// Roughly what CRoaring takes for a bitmap, for each 65,536 ids of which some are in it, and for each id.
constexpr std::size_t kSetBytes = 96;
constexpr std::size_t kContainerBytes = 64;
constexpr std::size_t kIdBytes = 3;

bool in_one_container(SeriesId a, SeriesId b) {
  return a >> 16 == b >> 16;
}

}  // namespace

std::optional<ValueNumber> TagColumn::find(std::string_view value, std::uint64_t hash) const {
  return by_text_.find(hash, [&](ValueNumber number) { return same_text(texts_[number], value); });
}

void TagColumn::add(SeriesId series, std::string_view value, TextArena& arena) {
  assert(!value.empty() && series >= numbers_.size() && series < kMany);
  numbers_.resize(series + std::size_t{1});
  const std::uint64_t hash = hash_text(value);
  if (const auto number = find(value, hash)) {
    numbers_.back() = *number;
    post(*number, series);
    return;
  }
  numbers_.back() = values();
  by_text_.add(hash, values());
  texts_.push_back(arena.keep(value));
  postings_.push_back(series);
}

void TagColumn::post(ValueNumber number, SeriesId series) {
  Posting& posting = postings_[number];
  if ((posting & kMany) == 0) {
    set_bytes_ += kSetBytes + kContainerBytes + kIdBytes;
    many_.push_back({.series = {posting}, .last = posting});
    posting = kMany | static_cast<Posting>(many_.size() - 1);
  }
  Many& many = many_[posting & ~kMany];
  set_bytes_ += kIdBytes + (in_one_container(many.last, series) ? 0 : kContainerBytes);
  many.series.add(series);
  many.last = series;
}

std::vector<std::string_view> TagColumn::texts_of(const SeriesSet& series) const {
  std::vector<bool> seen(values());
  for (const SeriesId id : series.ids()) seen[number_of(id)] = true;
  std::vector<std::string_view> texts;
  for (ValueNumber number = 1; number < values(); ++number) {
    if (seen[number]) texts.push_back(text(number));
  }
  return texts;
}

void TagColumn::filter(const model::Matcher& matcher, std::uint32_t series_count, SeriesSet& selected) const {
  if (matcher.listed() || selected.size() > values()) {
    selected.intersect(select(matcher, series_count));
    return;
  }
  std::vector<SeriesId> ids = selected.ids();
  std::erase_if(ids, [&](SeriesId id) { return !matcher.matches(value(id)); });
  selected = SeriesSet();
  selected.add_many(ids);
}

/// From the values that are described or from the others, whichever are fewer.
SeriesSet TagColumn::select(const model::Matcher& matcher, std::uint32_t series_count) const {
  const auto pick = [&](const std::vector<ValueNumber>& numbers, bool inverted) {
    SeriesSet set = series_of(numbers, series_count);
    return inverted ? set.complement(series_count) : set;
  };
  if (const auto listed = matcher.listed()) return pick(listed_numbers(*listed), matcher.negated());
  std::vector<ValueNumber> described;
  std::vector<ValueNumber> others;
  for (ValueNumber number = 0; number < values(); ++number) {
    (matcher.describes(text(number)) ? described : others).push_back(number);
  }
  return described.size() <= others.size() ? pick(described, matcher.negated()) : pick(others, !matcher.negated());
}

std::vector<ValueNumber> TagColumn::listed_numbers(std::span<const std::string> values) const {
  std::vector<ValueNumber> numbers;
  numbers.reserve(values.size());
  for (const std::string& value : values) {
    if (value.empty()) {
      numbers.push_back(0);
    } else if (const auto number = find(value, hash_text(value))) {
      numbers.push_back(*number);
    }
  }
  std::ranges::sort(numbers);
  return numbers;
}

/// `numbers` ascend, so that series that are alone with their value do so, too.
SeriesSet TagColumn::series_of(std::span<const ValueNumber> numbers, std::uint32_t series_count) const {
  SeriesSet gathered;
  std::vector<SeriesId> alone;
  std::vector<const SeriesSet*> sets = {&gathered};
  for (const ValueNumber number : numbers) {
    if (number == 0) {
      gathered = series_without(series_count);
    } else if (const Posting posting = postings_[number]; (posting & kMany) != 0) {
      sets.push_back(&many_[posting & ~kMany].series);
    } else {
      alone.push_back(posting);
    }
  }
  gathered.add_many(alone);
  return sets.size() == 1 ? gathered : SeriesSet::union_of(sets);
}

SeriesSet TagColumn::series_without(std::uint32_t series_count) const {
  const auto end = static_cast<SeriesId>(numbers_.size());
  SeriesSet without = SeriesSet::range(end, series_count);
  std::vector<SeriesId> ids;
  for (SeriesId id = 0; id < end; ++id) {
    if (numbers_[id] == 0) ids.push_back(id);
  }
  without.add_many(ids);
  return without;
}

std::size_t TagColumn::bytes() const {
  return numbers_.capacity() * sizeof(ValueNumber) + texts_.capacity() * sizeof(std::string_view) +
         postings_.capacity() * sizeof(Posting) + many_.capacity() * sizeof(Many) + set_bytes_ + by_text_.bytes() +
         sizeof(TagColumn);
}

}  // namespace marigram::head
