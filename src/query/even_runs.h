// Runs of rows that are all equally long: values are taken of four runs at a time, of each the first, then of each the
// second. What comes of it is, to the last bit, what run by run gives.
#pragma once

#include "base/compensated_sum.h"
#include "base/processors.h"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace marigram::query {

/// A number of each of four runs.
template <typename T>
struct Four {
  using Numbers [[gnu::vector_size(4 * sizeof(T))]] = T;
};

/// Adds `each` values to each sum, four times as many sums as are told.
template <typename SumAt>
MARIGRAM_LOOP void add_fours(SumAt sum_at, std::size_t fours, const double* values, std::size_t each) {
  using Numbers = Four<double>::Numbers;
  using Bits = Four<std::int64_t>::Numbers;
  constexpr std::int64_t kMagnitude = std::int64_t{-1} ^ std::bit_cast<std::int64_t>(-0.0);
  for (std::size_t i = 0; i < 4 * fours; i += 4, values += 4 * each) {
    CompensatedSum& a = sum_at(i);
    CompensatedSum& b = sum_at(i + 1);
    CompensatedSum& c = sum_at(i + 2);
    CompensatedSum& d = sum_at(i + 3);
    Numbers held = {a.sum(), b.sum(), c.sum(), d.sum()};
    Numbers lost = {a.lost(), b.lost(), c.lost(), d.lost()};
    for (std::size_t k = 0; k < each; ++k) {  // as CompensatedSum::add
      const Numbers value = {values[k], values[each + k], values[2 * each + k], values[3 * each + k]};
      const auto holds_more =
          (reinterpret_cast<Bits>(held) & kMagnitude) >= (reinterpret_cast<Bits>(value) & kMagnitude);
      const Numbers sum = held + value;
      lost += ((holds_more ? held : value) - sum) + (holds_more ? value : held);
      held = sum;
    }
    a = CompensatedSum(held[0], lost[0]);
    b = CompensatedSum(held[1], lost[1]);
    c = CompensatedSum(held[2], lost[2]);
    d = CompensatedSum(held[3], lost[3]);
  }
}

/// Four numbers, none of them a NaN, become the smallest or the largest of themselves and of `each` values.
template <typename T, bool kLeast>
MARIGRAM_LOOP void take_four(T* numbers, const T* values, std::size_t each) {
  using Numbers = typename Four<T>::Numbers;
  Numbers held{};
  for (int i = 0; i < 4; ++i) held[i] = numbers[i];
  for (std::size_t k = 0; k < each; ++k) {
    const Numbers value = {values[k], values[each + k], values[2 * each + k], values[3 * each + k]};
    held = (kLeast ? value < held : value > held) ? value : held;
  }
  for (int i = 0; i < 4; ++i) numbers[i] = held[i];
}

}  // namespace marigram::query
