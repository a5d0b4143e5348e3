// Coverage of a segment or a table: one bucket set a series (one for all in a table without tags), and its file forms.
#pragma once

#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"
#include "model/index.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace marigram::coverage {

/// Ordered by series. A table without tags, and every v1 table, uses the empty key.
using CoverageMap = std::map<SeriesKey, BucketSet>;

/// What two coverages have in common.
struct Overlap {
  std::uint64_t buckets = 0;  // (series, bucket) pairs
  SeriesKey series;           // the first series concerned
  std::uint64_t id = 0;       // its smallest common bucket
};

std::optional<Overlap> find_overlap(const CoverageMap& a, const CoverageMap& b);
void unite(CoverageMap& into, const CoverageMap& from);
void subtract(CoverageMap& from, const CoverageMap& what);  // series left without buckets vanish
/// The same coverage in a table that has got tags since, `tags` of them now: all series lack the new ones. O(series) if
/// there are any.
void fill_absent_tags(CoverageMap& map, std::size_t tags);
/// The reverse, by one tag: takes the last one away, if all series lack it; else returns false. O(series).
bool drop_absent_tag(CoverageMap& map);
/// Union over all series.
BucketSet across_series(const CoverageMap& map);

/// Bytes of a coverage file in the table's dialect: v1 bitmap, v7 treemap (no tags) or `TSTECOV2` (tags).
std::string encode(Dialect dialect, const model::IndexSpec& index, const CoverageMap& map);
/// kCorruption with a reason; bytes are never trusted (docs/format/coverage.md).
Result<CoverageMap> decode(Dialect dialect, const model::IndexSpec& index, std::string_view bytes);

enum class FileRole { kSegment, kTable };
/// The 32 hex digits in a coverage file's name: BLAKE3 over a domain, the index and the bytes.
std::string file_hash(Dialect dialect, const model::IndexSpec& index, FileRole role, std::string_view bytes);
/// `_coverage/segments/segcov-<hash>.roar` (v1), `..-<hash>-<attempt>.roar` (v7).
std::string segment_file_path(Dialect dialect, const std::string& hash, const std::string& attempt);
/// `_coverage/table/<version>-tblcov-<hash>[-<attempt>].roar`.
std::string table_file_path(Dialect dialect, std::uint64_t version, const std::string& hash,
                            const std::string& attempt);
/// The hash in a coverage path that either function made; unset for other names.
std::optional<std::string> hash_in_path(std::string_view path);

}  // namespace marigram::coverage
