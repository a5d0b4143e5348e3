// The ways in which a fault store fails, for tests that try them all.
#pragma once

#include "io/fault_store.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace marigram::io {

/// For INSTANTIATE_TEST_SUITE_P, as are their names.
inline auto all_fault_modes() {
  using Mode = FaultStore::Mode;
  return ::testing::Values(Mode::kFailOnce, Mode::kFailSticky, Mode::kNoSpaceOnce, Mode::kPowerCut, Mode::kKill);
}
inline std::string fault_mode_name(const ::testing::TestParamInfo<FaultStore::Mode>& parameter) {
  const std::vector<std::string> names = {"FailOnce", "FailSticky", "NoSpaceOnce", "PowerCut", "Kill"};
  return names.at(static_cast<std::size_t>(parameter.param));
}

}  // namespace marigram::io
