// How far tests go that could go on for ever: less far under a sanitizer, farther if the environment says so.
#pragma once

#include "base/test_sanitized.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace marigram::db::testing {

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

}  // namespace marigram::db::testing
