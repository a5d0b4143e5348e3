// Numbers from their differences.
#pragma once

#include "base/processors.h"

#include <cstddef>
#include <cstdint>

namespace marigram::codec {

/// Makes of each number the sum of those up to it, `more` for each of them, and `before`; returns the last sum.
MARIGRAM_LOOP std::uint64_t add_up(std::uint64_t* numbers, std::size_t count, std::uint64_t before,
                                   std::uint64_t more) {
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {  // so that of four additions one waits for those before
    std::uint64_t* const four = numbers + i;
    const std::uint64_t one = four[0] + more;
    const std::uint64_t two = one + (four[1] + more);
    const std::uint64_t three = two + (four[2] + more);
    const std::uint64_t all = two + (four[2] + four[3] + 2 * more);
    four[0] = before + one;
    four[1] = before + two;
    four[2] = before + three;
    before += all;
    four[3] = before;
  }
  for (; i < count; ++i) {
    before += numbers[i] + more;
    numbers[i] = before;
  }
  return before;
}

}  // namespace marigram::codec
