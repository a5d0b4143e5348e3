#include "head/series_dictionary.h"

#include "base/try.h"
#include "head/text_hash.h"

#include <marigram/error.h>
#include <marigram/tags.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::head {
namespace {

std::uint64_t hash_tags(std::span<const Tag> tags) {
  TextHash hash;
  for (const Tag& tag : tags) hash.add(tag.name).add(tag.value);
  return hash.value();
}

}  // namespace

SeriesDictionary::SeriesDictionary(SeriesBudget& budget) : budget_(budget) {}
SeriesDictionary::~SeriesDictionary() {
  budget_.give_back(size_);
}

// ---- Tags ----

std::vector<TagNumber>::const_iterator SeriesDictionary::place_of(std::string_view name) const {
  return std::ranges::lower_bound(by_name_, name, {},
                                  [this](TagNumber tag) -> std::string_view { return columns_[tag]->name(); });
}

std::optional<TagNumber> SeriesDictionary::number_of(std::string_view name) const {
  const auto place = place_of(name);
  if (place == by_name_.end() || columns_[*place]->name() != name) return std::nullopt;
  return *place;
}

std::optional<TagNumber> SeriesDictionary::find_tag(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  return number_of(name);
}

TagNumber SeriesDictionary::add_tag(std::string_view name) {
  if (const auto known = find_tag(name)) return *known;
  const std::lock_guard lock(mutex_);
  if (const auto known = number_of(name)) return *known;  // another thread was quicker
  const auto number = static_cast<TagNumber>(columns_.size());
  by_name_.insert(place_of(name), number);
  columns_.push_back(std::make_unique<TagColumn>(std::string(name)));
  return number;
}

std::vector<std::string_view> SeriesDictionary::tag_names() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string_view> names(columns_.size());
  std::ranges::transform(columns_, names.begin(),
                         [](const auto& column) -> std::string_view { return column->name(); });
  return names;
}

// ---- From tags to numbers ----

bool SeriesDictionary::is_series(SeriesId series, std::span<const Tag> tags) const {
  auto tag = tags.begin();
  for (const TagNumber number : by_name_) {
    const TagColumn& column = *columns_[number];
    const bool given = tag != tags.end() && same_text(tag->name, column.name());
    if (!same_text(column.value(series), given ? std::string_view(tag->value) : std::string_view())) return false;
    if (given) ++tag;
  }
  return tag == tags.end();
}

std::optional<SeriesId> SeriesDictionary::find(std::span<const Tag> tags, std::uint64_t hash) const {
  return by_tags_.find(hash, [&](SeriesId series) { return is_series(series, tags); });
}

std::optional<SeriesId> SeriesDictionary::find(std::span<const Tag> tags) const {
  const std::uint64_t hash = hash_tags(tags);
  const std::shared_lock lock(mutex_);
  return find(tags, hash);
}

Status SeriesDictionary::check_room(std::span<const Tags> series) const {
  const auto is_new = [&](const Tags& tags) { return !find(tags); };
  return budget_.check(static_cast<std::uint64_t>(std::ranges::count_if(series, is_new)));
}

Result<SeriesId> SeriesDictionary::resolve(std::span<const Tag> tags) {
  SeriesId id = 0;
  const Wanted wanted = {.tags = tags, .hash = hash_tags(tags), .id = &id};
  {
    const std::shared_lock lock(mutex_);
    if (const auto known = find(tags, wanted.hash)) return *known;
  }
  MARIGRAM_TRY(add(std::span(&wanted, 1)));
  return id;
}

Status SeriesDictionary::resolve(std::span<const Tags> series, std::span<SeriesId> ids) {
  const std::vector<Wanted> unknown = look_up(series, ids);
  return unknown.empty() ? Status() : add(unknown);
}

bool SeriesDictionary::find(std::span<const std::span<const Tag>> series, std::span<SeriesId> ids) const {
  return look_up(series, ids).empty();
}

template <typename AnyTags>
std::vector<SeriesDictionary::Wanted> SeriesDictionary::look_up(std::span<const AnyTags> series,
                                                                std::span<SeriesId> ids) const {
  assert(series.size() == ids.size());
  constexpr std::size_t kGroup = 16;
  std::vector<Wanted> unknown;
  const std::shared_lock lock(mutex_);
  std::array<Wanted, kGroup> group;
  for (std::size_t done = 0; done < series.size();) {
    const std::size_t count = std::min(kGroup, series.size() - done);
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<const Tag> tags = series[done + i];
      group[i] = {.tags = tags, .hash = hash_tags(tags), .id = &ids[done + i]};
    }
    find_group(std::span(group).first(count), unknown);
    done += count;
    if (count < kGroup || ids[done - 2] + 1 != ids[done - 1]) continue;
    // Who writes names series in one order, most of the time, and by that order they were numbered: no need to search.
    for (; done < series.size(); ++done) {
      const SeriesId next = ids[done - 1] + 1;
      if (next >= size_ || !is_series(next, series[done])) break;
      ids[done] = next;
    }
  }
  return unknown;
}

/// A look-up goes from the hash to a number, from there to the columns, to texts and to their bytes, and waits for
/// memory at each step. Here all of a group take one step before any takes the next, so that they wait together.
void SeriesDictionary::find_group(std::span<Wanted> group, std::vector<Wanted>& unknown) const {
  for (const Wanted& one : group) __builtin_prefetch(by_tags_.place_of(one.hash));
  for (Wanted& one : group) one.likely = by_tags_.find(one.hash, [](SeriesId) { return true; });
  for (const auto place : {&TagColumn::place_of_number, &TagColumn::place_of_text, &TagColumn::place_of_bytes}) {
    for (const Wanted& one : group) {
      if (!one.likely) continue;
      for (const auto& column : columns_) __builtin_prefetch((*column.*place)(*one.likely));
    }
  }
  for (const Wanted& one : group) {
    if (const auto known = find(one.tags, one.hash)) {
      *one.id = *known;
    } else {
      unknown.push_back(one);
    }
  }
}

// ---- New series ----

Status SeriesDictionary::add(std::span<const Wanted> wanted) {
  const std::lock_guard lock(mutex_);
  std::uint32_t unknown = 0;
  for (const Wanted& one : wanted) {
    if (find(one.tags, one.hash)) continue;  // another thread was quicker
    MARIGRAM_TRY(check(one.tags));
    ++unknown;
  }
  MARIGRAM_TRY(budget_.take(unknown));
  const std::uint32_t before = size_;
  for (const Wanted& one : wanted) {
    const auto known = find(one.tags, one.hash);
    *one.id = known ? *known : add_one(one);
  }
  budget_.give_back(unknown - (size_ - before));  // for those that are in `wanted` twice
  return {};
}

Status SeriesDictionary::check(std::span<const Tag> tags) const {
  const auto cannot_add = [](std::string_view cause, const Tag& tag) {
    return fail(ErrorCode::kInternal, fmt::format("cannot add a series: {}; got {}=`{}`", cause, tag.name, tag.value));
  };
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (!number_of(tags[i].name)) return cannot_add("the dictionary lacks the tag", tags[i]);
    if (tags[i].value.empty()) return cannot_add("a tag is empty, want it left out", tags[i]);
    if (i > 0 && tags[i - 1].name >= tags[i].name) return cannot_add("the tags are not sorted by name", tags[i]);
  }
  return {};
}

SeriesId SeriesDictionary::add_one(const Wanted& wanted) {
  const SeriesId series = size_++;
  for (const Tag& tag : wanted.tags) columns_[*number_of(tag.name)]->add(series, tag.value, arena_);
  by_tags_.add(wanted.hash, series);
  return series;
}

// ---- From numbers to tags ----

std::uint32_t SeriesDictionary::size() const {
  const std::shared_lock lock(mutex_);
  return size_;
}

std::string_view SeriesDictionary::value(SeriesId series, TagNumber tag) const {
  const std::shared_lock lock(mutex_);
  assert(series < size_ && tag < columns_.size());
  return columns_[tag]->value(series);
}

Tags SeriesDictionary::tags(SeriesId series) const {
  const std::shared_lock lock(mutex_);
  assert(series < size_);
  Tags tags;
  tags.reserve(columns_.size());
  for (const TagNumber number : by_name_) {
    const TagColumn& column = *columns_[number];
    if (column.number_of(series) == 0) continue;
    tags.push_back({.name = column.name(), .value = std::string(column.value(series))});
  }
  return tags;
}

// ---- Conditions ----

SeriesSet SeriesDictionary::select(std::span<const model::Matcher> matchers) const {
  const std::shared_lock lock(mutex_);
  return select_all(matchers);
}

/// Lists come first: they cost little and leave few series. An expression is then matched against what is the less, the
/// tag's values or the series that are left.
SeriesSet SeriesDictionary::select_all(std::span<const model::Matcher> matchers) const {
  std::vector<const model::Matcher*> order;
  order.reserve(matchers.size());
  for (const model::Matcher& matcher : matchers) order.push_back(&matcher);
  std::ranges::stable_partition(order, [](const model::Matcher* matcher) { return matcher->listed().has_value(); });
  SeriesSet selected = SeriesSet::range(0, size_);
  for (const model::Matcher* matcher : order) {
    if (const auto tag = number_of(matcher->tag())) {
      columns_[*tag]->filter(*matcher, size_, selected);
    } else if (!matcher->matches("")) {
      return {};
    }
  }
  return selected;
}

std::vector<std::string_view> SeriesDictionary::values(TagNumber tag, std::span<const model::Matcher> matchers) const {
  std::vector<std::string_view> values;
  {
    const std::shared_lock lock(mutex_);
    assert(tag < columns_.size());
    values = matchers.empty() ? columns_[tag]->texts() : columns_[tag]->texts_of(select_all(matchers));
  }
  std::ranges::sort(values);
  return values;
}

std::size_t SeriesDictionary::memory_bytes() const {
  const std::shared_lock lock(mutex_);
  std::size_t bytes = sizeof(SeriesDictionary) + arena_.bytes() + by_tags_.bytes();
  for (const auto& column : columns_) bytes += column->bytes();
  return bytes;
}

}  // namespace marigram::head
