// Test support: random bucket sets where it hurts (at the edges of containers, of upper halves and of the id line), and
// their plain models.
#pragma once

#include "coverage/bucket_set.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

namespace marigram::coverage::test {

using Model = std::set<std::uint64_t>;

/// A random source with a seed that a failing test prints: EXPECT under SCOPED_TRACE(seed).
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  /// Where a set or a range may begin.
  std::uint64_t base() {
    constexpr std::uint64_t kEdge = std::uint64_t{1} << 32;
    constexpr std::uint64_t kMiddle = std::uint64_t{1} << 63;
    constexpr std::array<std::uint64_t, 8> kBases = {
        0, 65'536 - 20, kEdge - 20, kEdge, kMiddle - 20, kMiddle - 70'000, UINT64_MAX - 60, UINT64_MAX - 200'000};
    return one_in(6) ? engine_() : kBases[below(kBases.size())];
  }

  /// Runs and holes of random length from `base` on, never past the last id.
  std::vector<IdRange> runs(std::uint64_t base, std::size_t count, std::uint64_t run_max, std::uint64_t hole_max) {
    std::vector<IdRange> runs;
    std::uint64_t at = base;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t last = at + std::min(below(run_max), UINT64_MAX - at);
      runs.push_back({.first = at, .last = last});
      const std::uint64_t step = 2 + below(hole_max);
      if (UINT64_MAX - last < step) break;
      at = last + step;
    }
    return runs;
  }

 private:
  std::mt19937_64 engine_;
};

inline BucketSet set_of(const std::vector<IdRange>& runs) {
  BucketSet set;
  for (const IdRange& run : runs) set.add_range(run);
  return set;
}

inline BucketSet set_of(const Model& ids) {
  BucketSet set;
  for (const std::uint64_t id : ids) set.add(id);
  return set;
}

inline Model model_of(const std::vector<IdRange>& runs) {
  Model ids;
  for (const IdRange& run : runs) {
    for (std::uint64_t i = 0; i <= run.last - run.first; ++i) ids.insert(run.first + i);
  }
  return ids;
}

/// The ids as maximal runs, the plain way.
inline std::vector<IdRange> runs_of(const std::vector<std::uint64_t>& ascending) {
  std::vector<IdRange> runs;
  for (const std::uint64_t id : ascending) {
    if (!runs.empty() && runs.back().last + 1 == id) {
      runs.back().last = id;
    } else {
      runs.push_back({.first = id, .last = id});
    }
  }
  return runs;
}

}  // namespace marigram::coverage::test
