// One tag of a table's series: its distinct values by number, each series' value, and each value's series.
#pragma once

#include "head/hash_slots.h"
#include "head/series_set.h"
#include "head/text_arena.h"
#include "model/matcher.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::head {

/// A distinct value of a tag: dense, in order of first use. 0 is no value, which reads as "".
using ValueNumber = std::uint32_t;

/// Not thread-safe for writes; const use is.
class TagColumn {
 public:
  explicit TagColumn(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  /// Gives a value, not empty, to a series beyond all that have one.
  void add(SeriesId series, std::string_view value, TextArena& arena);

  /// Where the number of a series' value lies, its text, and the bytes of that: each is read to find the next, and may
  /// be asked for ahead of time. Null if the series has no value.
  const void* place_of_number(SeriesId series) const { return series < numbers_.size() ? &numbers_[series] : nullptr; }
  const void* place_of_text(SeriesId series) const { return &texts_[number_of(series)]; }
  const void* place_of_bytes(SeriesId series) const { return value(series).data(); }

  ValueNumber number_of(SeriesId series) const { return series < numbers_.size() ? numbers_[series] : 0; }
  std::string_view text(ValueNumber number) const { return texts_[number]; }
  std::string_view value(SeriesId series) const { return text(number_of(series)); }
  /// How many values there are, "" included.
  std::uint32_t values() const { return static_cast<std::uint32_t>(texts_.size()); }

  /// All values but "", by number.
  std::vector<std::string_view> texts() const { return {texts_.begin() + 1, texts_.end()}; }
  /// Those that the series have, by number.
  std::vector<std::string_view> texts_of(const SeriesSet& series) const;

  /// Leaves those of the selected series that fulfil the condition. There are `series_count` series. A list costs its
  /// series; an expression is matched against each value, or each selected series, whichever are fewer.
  void filter(const model::Matcher& matcher, std::uint32_t series_count, SeriesSet& selected) const;

  /// What it weighs beyond the texts, which are the arena's. O(1); that of bitmaps is an upper estimate.
  std::size_t bytes() const;

 private:
  // A value's series: the only one, or kMany and the position in many_.
  using Posting = std::uint32_t;
  static constexpr Posting kMany = Posting{1} << 31;
  struct Many {
    SeriesSet series;
    SeriesId last = 0;
  };

  std::optional<ValueNumber> find(std::string_view value, std::uint64_t hash) const;
  void post(ValueNumber number, SeriesId series);
  SeriesSet select(const model::Matcher& matcher, std::uint32_t series_count) const;
  std::vector<ValueNumber> listed_numbers(std::span<const std::string> values) const;
  SeriesSet series_of(std::span<const ValueNumber> numbers, std::uint32_t series_count) const;
  SeriesSet series_without(std::uint32_t series_count) const;

  std::string name_;
  std::vector<ValueNumber> numbers_;            // by series; those beyond its end have none
  std::vector<std::string_view> texts_ = {{}};  // by value, in the arena
  std::vector<Posting> postings_ = {0};         // by value; that of 0 is not used
  std::vector<Many> many_;                      // of values with more series than one
  std::size_t set_bytes_ = 0;
  HashSlots by_text_;
};

}  // namespace marigram::head
