// The history of a table: how much of it is kept, and what changed from one version to another.
#pragma once

#include <marigram/scan.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace marigram {

/// Which versions stay, to be gone back to: those that one of the two says, and the newest; unset both: all. The others
/// are given up for good.
struct History {
  std::optional<std::uint64_t> versions = {};  ///< the newest so many, 1 or more
  std::optional<std::int64_t> seconds = {};    ///< those that were the newest at some time since so long ago
};

struct DiffRequest {
  std::uint64_t from = 0;                ///< version that is compared
  std::uint64_t to = 0;                  ///< with this one; 0: the handle's
  std::optional<IndexValue> begin = {};  ///< of the rows, inclusive
  std::optional<IndexValue> end = {};    ///< exclusive
  std::vector<TagPredicate> where = {};  ///< all must match
  CancelToken cancel = {};
};

}  // namespace marigram
