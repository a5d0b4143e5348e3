// CURRENT: the file that names the version readers start from.
#pragma once

#include <marigram/error.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace marigram::log {

/// The version in CURRENT: decimal digits that fit 64 bits, with white space around them. kCorruption for anything
/// else.
Result<std::uint64_t> parse_current(std::string_view content);
std::string format_current(std::uint64_t version);

}  // namespace marigram::log
