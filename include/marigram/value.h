// One value of a table, of any type.
#pragma once

#include <marigram/time.h>

#include <cstdint>
#include <string>
#include <variant>

namespace marigram {

/// One cell; monostate is null. Integers of any width come as int64 or uint64, floats as double.
using Value = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Instant>;

}  // namespace marigram
