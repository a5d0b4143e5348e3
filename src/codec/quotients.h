// Integers over a power of ten, as doubles.
#pragma once

#include <cstdint>
#include <span>

namespace marigram::codec {

inline constexpr unsigned kExponentsOfTen = 16;  // 0 to 15

/// Ten to that power, which is a double.
double power_of_ten(unsigned exponent);

/// Makes of each number, an int64, the bits of the double that is nearest to it, divided by ten to the power of
/// `exponent` as doubles are.
void to_quotients(std::span<std::uint64_t> numbers, unsigned exponent);

}  // namespace marigram::codec
