// Quantities as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace marigram {

/// 26,115
std::string group_digits(std::uint64_t value);
/// 1 row, 2 rows, 26,115 rows
std::string count_of(std::uint64_t count, std::string_view singular);
/// 512 B, 1.4 MiB
std::string format_bytes(std::uint64_t bytes);

}  // namespace marigram
