// Rows that a delete hides, as the log records it (docs/format/log.md, "Tombstones").
#pragma once

#include "model/series_set.h"

#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marigram::model {

/// Hides the rows of all segments whose rank is at most `rank` that lie in the half-open range, belong to a series that
/// all predicates ask for, and none of `except`, and, if there is such a file, are at one of the points that it names.
struct Tombstone {
  std::string touched_path = {};                 // coverage file: buckets of hidden rows; no two tombstones share it
  std::optional<std::string> emptied_path = {};  // likewise: those that had no other rows; unset: there are none
  std::optional<std::string> points_path = {};   // likewise, its ids are times in the column's unit
  std::uint64_t rank = 0;                        // the version that was looked at
  std::optional<IndexValue> from = {};
  std::optional<IndexValue> to = {};
  std::vector<TagPredicate> where = {};
  std::vector<std::vector<TagPredicate>> except = {};

  SeriesSet series() const { return {where, except}; }
  /// Its files.
  std::vector<std::string> paths() const {
    std::vector<std::string> all = {touched_path};
    for (const auto& path : {emptied_path, points_path}) {
      if (path) all.push_back(*path);
    }
    return all;
  }

  friend bool operator==(const Tombstone&, const Tombstone&) = default;
};

}  // namespace marigram::model
