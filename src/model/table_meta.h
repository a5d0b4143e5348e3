// A table's definition and its segments, as the log records them.
#pragma once

#include "model/index.h"
#include "model/schema.h"

#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace marigram::model {

/// Feature, required of readers and writers, of tables to which tags may be added (docs/format/log.md).
inline constexpr const char* kGrowingFeature = "marigram_growing";

struct TableMeta {
  Dialect dialect = Dialect::kV7;
  std::optional<IndexSpec> index = {};  // unset: kind "Generic", which we list but do not open for data
  std::optional<Schema> schema = {};    // unset until declared or adopted
  Instant created_at = {};
  std::optional<SeriesKey> pinned_series = {};  // v1 "entity_identity", strings only, in the order of index->tags
  std::set<std::string> reader_features = {};   // v7
  std::set<std::string> writer_features = {};   // v7

  friend bool operator==(const TableMeta&, const TableMeta&) = default;

  /// Whether tags may be added. All tags are nullable strings then, and the empty value of one says that the series
  /// lacks it.
  bool grows() const { return reader_features.contains(kGrowingFeature); }
  /// Of readers and writers.
  void require(const char* feature) {
    reader_features.insert(feature);
    writer_features.insert(feature);
  }
  bool requires_feature(const char* feature) const {
    return reader_features.contains(feature) && writer_features.contains(feature);
  }
};

/// How the rows of a segment spread over series (v7 "entity_layout").
struct NoSeries {  // the table has no tags
  friend bool operator==(const NoSeries&, const NoSeries&) = default;
};
struct MixedSeries {
  friend bool operator==(const MixedSeries&, const MixedSeries&) = default;
};
using SegmentLayout = std::variant<NoSeries, MixedSeries, SeriesKey>;

/// What tells which rows are later among those of equal series and time: those of the segment with the greater rank.
/// Unset (zero) in tables that reject such rows, and before the segment is committed.
struct SegmentRank {
  std::uint64_t rank = 0;   // of the commit that added the segment: its version, unless it says another
  std::uint64_t place = 0;  // among the segments of that commit

  friend auto operator<=>(const SegmentRank&, const SegmentRank&) = default;
};

/// The name of a series in a table that has got tags since, `tags` of them now: it lacks the new ones.
void fill_absent_tags(SeriesKey& series, std::size_t tags);
/// The same of a segment. One without series then is one of the series that lacks all tags.
void fill_absent_tags(SegmentLayout& layout, std::size_t tags);

struct SegmentMeta {
  std::string id = {};  // v1, where v7 segments are known by their path; of a zola day the file's version in the store
  std::string path = {};  // canonical, relative to the table
  SegmentFormat format = SegmentFormat::kParquet;
  SegmentLayout layout = {};  // v7; NoSeries in v1
  IndexValue min = {};        // inclusive, min <= max
  IndexValue max = {};        // inclusive
  std::uint64_t row_count = 0;
  std::optional<std::uint64_t> file_size = {};
  std::optional<std::string> coverage_path = {};
  SegmentRank rank = {};

  friend bool operator==(const SegmentMeta&, const SegmentMeta&) = default;

  /// What identifies the segment in its table: the id in v1, the path in v7.
  const std::string& key(Dialect dialect) const { return dialect == Dialect::kV1 ? id : path; }
};

/// Whether `path` is canonical and relative: parts joined by '/', none empty (so no leading '/'), '.', '..' or
/// beginning with a drive ("C:"); no backslash, no NUL. Never follow a path from a file without asking.
bool is_canonical_path(std::string_view path);

}  // namespace marigram::model
