// Integers over a power of ten, as doubles.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace marigram::codec {

inline constexpr unsigned kExponentsOfTen = 16;  // 0 to 15

/// Ten to that power, which is a double.
inline double power_of_ten(unsigned exponent) {
  constexpr std::array<double, kExponentsOfTen> kPowers{1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  return kPowers[exponent];
}

/// Makes of each number, an int64, the bits of the double that is nearest to it, divided by ten to the power of
/// `exponent` as doubles are.
void to_quotients(std::span<std::uint64_t> numbers, unsigned exponent);

}  // namespace marigram::codec
