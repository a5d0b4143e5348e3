// CURRENT: whatever the bytes, an error or the version that they spell.
#include "log/current.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto version = marigram::log::parse_current({reinterpret_cast<const char*>(data), size});
  if (version && marigram::log::parse_current(marigram::log::format_current(*version)) != *version) std::abort();
  return 0;
}
