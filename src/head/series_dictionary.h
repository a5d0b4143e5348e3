// The series of one table: tag tuples as dense numbers, and which series fulfil conditions on tags.
//
// Columns, not rows: a tag keeps each distinct value once, numbered, and four bytes a series. A value knows its series
// (one inline, several as a bitmap), which is what conditions are answered by. A hash set finds the series of a tuple;
// it holds hash and number, the tuple is compared in the columns.
#pragma once

#include "base/striped_shared_mutex.h"
#include "head/hash_slots.h"
#include "head/series_budget.h"
#include "head/series_set.h"
#include "head/tag_column.h"
#include "head/text_arena.h"
#include "model/matcher.h"

#include <marigram/error.h>
#include <marigram/tags.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace marigram::head {

/// A tag of the dictionary: dense from 0, in order of add_tag.
using TagNumber = std::uint32_t;

/// Thread-safe; only what adds shuts others out. Nothing is ever removed, and texts that it hands out stay valid as
/// long as it lives. Tags of a series are sorted by name, each name once, no value empty; a series without any is one
/// too.
class SeriesDictionary {
 public:
  /// The budget is drawn on by each series, and gets all of them back in the end; it must outlive the dictionary.
  explicit SeriesDictionary(SeriesBudget& budget);
  ~SeriesDictionary();
  SeriesDictionary(const SeriesDictionary&) = delete;
  SeriesDictionary& operator=(const SeriesDictionary&) = delete;

  /// The tag's number; a new one if there was no such tag, which then no series has.
  TagNumber add_tag(std::string_view name);
  std::optional<TagNumber> find_tag(std::string_view name) const;
  /// By number.
  std::vector<std::string_view> tag_names() const;

  /// The number of the series, which is added if it is new. kResourceExhausted beyond the budget; kInternal if a tag
  /// has not been added before or the tags are not as above. A known series costs a hash and no allocation.
  Result<SeriesId> resolve(std::span<const Tag> tags);
  /// The same for many, all or none: after an error no series has been added. `ids` is as long as `series`.
  Status resolve(std::span<const Tags> series, std::span<SeriesId> ids);
  std::optional<SeriesId> find(std::span<const Tag> tags) const;
  /// The same for many; false if one of them is not there.
  bool find(std::span<const std::span<const Tag>> series, std::span<SeriesId> ids) const;
  /// kResourceExhausted if the budget has no room for those of them that are new.
  Status check_room(std::span<const Tags> series) const;

  /// How many series there are: those of the numbers below. Numbers below are asked about only.
  std::uint32_t size() const;
  /// "" if the series lacks the tag.
  std::string_view value(SeriesId series, TagNumber tag) const;
  /// What resolve() was given.
  Tags tags(SeriesId series) const;

  /// The series that fulfil all conditions; one on a tag that is not there sees empty values.
  SeriesSet select(std::span<const model::Matcher> matchers) const;
  /// The distinct values that a tag has in those series, without "", ascending by bytes.
  std::vector<std::string_view> values(TagNumber tag, std::span<const model::Matcher> matchers = {}) const;

  /// What it weighs, to a few percent; never much less. O(tags).
  std::size_t memory_bytes() const;

 private:
  /// A series that is looked for.
  struct Wanted {
    std::span<const Tag> tags;
    std::uint64_t hash = 0;
    SeriesId* id = nullptr;
    std::optional<SeriesId> likely = {};  // has the same hash
  };

  /// Those that are not there.
  template <typename AnyTags>
  std::vector<Wanted> look_up(std::span<const AnyTags> series, std::span<SeriesId> ids) const;
  Status add(std::span<const Wanted> wanted);

  // What follows is called under the lock.
  std::vector<TagNumber>::const_iterator place_of(std::string_view name) const;
  std::optional<TagNumber> number_of(std::string_view name) const;
  bool is_series(SeriesId series, std::span<const Tag> tags) const;
  std::optional<SeriesId> find(std::span<const Tag> tags, std::uint64_t hash) const;
  void find_group(std::span<Wanted> group, std::vector<Wanted>& unknown) const;
  Status check(std::span<const Tag> tags) const;
  SeriesId add_one(const Wanted& wanted);
  SeriesSet select_all(std::span<const model::Matcher> matchers) const;

  SeriesBudget& budget_;
  mutable StripedSharedMutex mutex_;  // guards all below
  TextArena arena_;
  std::vector<std::unique_ptr<TagColumn>> columns_;  // by number
  std::vector<TagNumber> by_name_;                   // ascending by name
  HashSlots by_tags_;
  std::uint32_t size_ = 0;
};

}  // namespace marigram::head
