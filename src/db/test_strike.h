// A fault at each step that the disk takes, one after the other.
#pragma once

#include "db/test_disk.h"
#include "db/test_extent.h"
#include "io/test_fault_modes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace marigram::db::testing {

/// Calls `run` with a fault at each step in turn, under a sanitizer at some, until it comes to its end before the fault
/// does. Returns how many steps there are.
inline std::uint64_t strike_everywhere(TestDisk::Mode mode,
                                       const std::function<bool(std::uint64_t point, std::uint64_t seed)>& run) {
  const std::uint64_t seeds = mode == TestDisk::Mode::kPowerCut ? 2 : 1;
  std::uint64_t point = 0;
  for (bool struck = true; struck && !::testing::Test::HasFailure(); point += kSanitized ? 7 : 1) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      SCOPED_TRACE(fmt::format("point {} seed {}", point, seed));
      struck = run(point, point * seeds + seed);
    }
  }
  return point;
}

}  // namespace marigram::db::testing
