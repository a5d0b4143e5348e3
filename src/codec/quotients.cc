#include "codec/quotients.h"

#include "base/processors.h"

#include <bit>
#include <cmath>
#include <cstddef>

namespace marigram::codec {
namespace {

/// As static_cast, for which most processors have no instruction that takes several at a time: the upper half, with its
/// sign bit inverted, is the lowest bits of 2^84 + 2^63 + upper * 2^32, the lower half those of 2^52 + lower. The first
/// difference is exact, the sum is rounded as the cast would be.
MARIGRAM_LOOP double double_of_integer(std::uint64_t integer) {
  const auto upper = std::bit_cast<double>((integer >> 32U) ^ 0x4530'0000'8000'0000U);
  const auto lower = std::bit_cast<double>((integer & 0xFFFF'FFFFU) | 0x4330'0000'0000'0000U);
  return (upper - (0x1p84 + 0x1p63 + 0x1p52)) + lower;
}

MARIGRAM_LOOP void convert(std::uint64_t* numbers, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) numbers[i] = std::bit_cast<std::uint64_t>(double_of_integer(numbers[i]));
}

void divide(std::uint64_t* numbers, std::size_t count, double power) {
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = std::bit_cast<std::uint64_t>(double_of_integer(numbers[i]) / power);
  }
}

/// The same without a division, which takes longer than all the rest. The product misses the quotient by less than two
/// units in the last place, the first correction by less than one, and then the second gives the nearest double
/// (P. Markstein, IBM J. Res. Dev. 34(1), 1990: the inverse is the nearest double to it, too). Nothing is too small or
/// too large for that: integers are at most 2^63, powers 10^15.
MARIGRAM_WIDE void divide_wide(std::uint64_t* numbers, std::size_t count, double power) {
  const double inverse = 1 / power;
  for (std::size_t i = 0; i < count; ++i) {
    const double number = double_of_integer(numbers[i]);
    double quotient = number * inverse;
    quotient = std::fma(std::fma(-quotient, power, number), inverse, quotient);
    quotient = std::fma(std::fma(-quotient, power, number), inverse, quotient);
    numbers[i] = std::bit_cast<std::uint64_t>(quotient);
  }
}

}  // namespace

void to_quotients(std::span<std::uint64_t> numbers, unsigned exponent) {
  if (exponent == 0) return compiled<convert>(numbers.data(), numbers.size());
  const bool wide = processor() == Processor::kWide;
  (wide ? divide_wide : divide)(numbers.data(), numbers.size(), power_of_ten(exponent));
}

}  // namespace marigram::codec
