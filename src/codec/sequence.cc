#include "codec/sequence.h"

#include "base/processors.h"
#include "codec/bins.h"
#include "codec/sums.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace marigram::codec {
namespace {

enum Form : std::uint8_t { kNumbers, kDifferences, kSecond, kDistinct };

constexpr std::size_t kLagMax = 255;

/// How numbers become what is binned.
struct Way {
  Form form = kNumbers;
  std::size_t lag = 1;

  /// How many numbers stand before what is binned.
  std::size_t begin() const { return form == kNumbers ? 0 : form == kDifferences ? 1 : 2; }

  /// What is binned of the number `i`, from begin() on; `at` gives the numbers.
  template <typename At>
  std::uint64_t binned(std::size_t i, At at) const {
    if (form == kNumbers) return at(i);
    if (form == kDifferences) return at(i) - at(i - std::min(lag, i));
    return (at(i) - at(i - 1)) - (at(i - 1) - at(i - 2));
  }
};

/// Makes the numbers distances from the least of them as signed ones, which it returns.
std::uint64_t subtract_least(std::vector<std::uint64_t>& numbers) {
  if (numbers.empty()) return 0;
  std::int64_t least = INT64_MAX;
  for (const std::uint64_t number : numbers) least = std::min(least, static_cast<std::int64_t>(number));
  for (std::uint64_t& number : numbers) number -= static_cast<std::uint64_t>(least);
  return static_cast<std::uint64_t>(least);
}

/// Of those that a number is often equal to, the lag of most; 1 if that is the best, or nothing is.
MARIGRAM_LOOP std::size_t best_lag(const std::uint64_t* numbers, std::size_t count) {
  constexpr std::size_t kTried = 16;
  std::size_t best = 1;
  std::size_t most = count / 4;
  for (std::size_t lag = 1; lag <= kTried && lag < count; ++lag) {
    std::size_t equal = 0;
    for (std::size_t i = lag; i < count; ++i) equal += numbers[i] == numbers[i - lag] ? 1 : 0;
    if (equal <= most) continue;
    most = equal;
    best = lag;
  }
  return best;
}

/// About what `count` numbers take, to judge by some of them.
template <typename At>
double bits_of_some(std::size_t count, Way way, At at) {
  constexpr std::size_t kEnough = 512;
  const std::size_t stride = (count - way.begin()) / kEnough | 1U;  // odd: every other number may be of another kind
  std::vector<std::uint64_t> some;
  some.reserve(count / stride + 1);
  for (std::size_t i = way.begin(); i < count; i += stride) some.push_back(way.binned(i, at));
  if (way.form != kNumbers) subtract_least(some);
  const double share = static_cast<double>(some.size()) / static_cast<double>(count - way.begin());
  return choose_bins(std::move(some), 32).bits / share;
}

struct Choice {
  Way way;
  double bits = 0;
};

/// The way in which `count` numbers take least, to judge by some of them.
template <typename At>
Choice best_way(std::size_t count, std::size_t lag, At at) {
  Choice best{.bits = bits_of_some(count, {}, at)};
  if (count < 3) return best;
  const auto try_way = [&](Way way) {
    const double bits = bits_of_some(count, way, at);
    if (bits < best.bits) best = {way, bits};
  };
  try_way({.form = kDifferences});
  if (lag > 1) try_way({.form = kDifferences, .lag = lag});
  try_way({.form = kSecond});
  return best;
}

void put_in(Way way, std::span<const std::uint64_t> numbers, Buffer& out) {
  std::vector<std::uint64_t> binned;
  binned.reserve(numbers.size());
  const auto at = [numbers](std::size_t i) { return numbers[i]; };
  for (std::size_t i = way.begin(); i < numbers.size(); ++i) binned.push_back(way.binned(i, at));
  out.push_back(way.form);
  if (way.form == kDifferences) put_uleb128(way.lag, out);
  if (way.form != kNumbers) put_uleb128(numbers[0], out);
  if (way.form == kSecond) put_uleb128(zigzag(numbers[1] - numbers[0]), out);
  if (way.form != kNumbers) put_uleb128(zigzag(subtract_least(binned)), out);
  put_binned(binned, choose_bins(binned), out);
}

/// Numbers as positions among those that are distinct.
struct Distinct {
  std::vector<std::uint64_t> numbers;  // ascending
  Choice positions;
  double bits = 0;  // of all, about

  std::uint64_t position_of(std::uint64_t number) const {
    return last_not_above(numbers.data(), numbers.size(), number);
  }
};

/// Ascending.
std::vector<std::uint64_t> distinct_numbers(std::span<const std::uint64_t> numbers) {
  constexpr std::uint64_t kFewEnd = 1U << 16U;  // for each below there is a bit
  const std::uint64_t largest = *std::ranges::max_element(numbers);
  std::vector<std::uint64_t> distinct;
  if (largest >= kFewEnd) {
    distinct.assign(numbers.begin(), numbers.end());
    radix_sort(distinct);
    distinct.erase(std::ranges::unique(distinct).begin(), distinct.end());
    return distinct;
  }
  std::vector<std::uint64_t> bitmap(largest / 64 + 1);
  for (const std::uint64_t number : numbers) bitmap[number / 64] |= std::uint64_t{1} << number % 64;
  for (std::size_t i = 0; i < bitmap.size(); ++i) {
    for (std::uint64_t word = bitmap[i]; word != 0; word &= word - 1) {
      distinct.push_back(64 * i + static_cast<std::uint64_t>(std::countr_zero(word)));
    }
  }
  return distinct;
}

/// Whether the numbers come again too seldom for a list of them, to judge by some.
bool hardly_repeat(std::span<const std::uint64_t> numbers) {
  constexpr std::size_t kEnough = 1'024;
  constexpr std::size_t kShareMin = 8;  // where each comes four times, a sixth of an eighth of them come again
  constexpr std::size_t kAgain = 12;
  const std::size_t stride = numbers.size() / kEnough;
  if (stride < 2 || stride > kShareMin) return false;
  std::vector<std::uint64_t> some;
  some.reserve(numbers.size() / stride + 1);
  for (std::size_t i = 0; i < numbers.size(); i += stride) some.push_back(numbers[i]);
  radix_sort(some);
  return std::ranges::unique(some).size() < some.size() / kAgain;
}

/// Unset if they hardly repeat, or lie so close together that their positions are hardly smaller.
std::optional<Distinct> distinct_of(std::span<const std::uint64_t> numbers, std::size_t lag) {
  constexpr std::size_t kRepeats = 4;
  constexpr std::size_t kFew = 2;  // of so many, bins of their own are as good
  if (hardly_repeat(numbers)) return std::nullopt;
  Distinct distinct{.numbers = distinct_numbers(numbers)};
  const std::size_t count = distinct.numbers.size();
  if (count <= kFew || count > numbers.size() / kRepeats || distinct.numbers.back() / 2 < count) return std::nullopt;
  distinct.positions = best_way(numbers.size(), lag, [&](std::size_t i) { return distinct.position_of(numbers[i]); });
  return distinct;
}

void put_distinct(std::span<const std::uint64_t> numbers, const Distinct& distinct, Buffer& out) {
  std::vector<std::uint64_t> positions(numbers.size());
  std::ranges::transform(numbers, positions.begin(),
                         [&](std::uint64_t number) { return distinct.position_of(number); });
  out.push_back(kDistinct);
  put_uleb128(distinct.numbers.size(), out);
  std::vector<std::uint64_t> steps(distinct.numbers);
  std::adjacent_difference(steps.begin(), steps.end(), steps.begin());
  put_binned(steps, choose_bins(steps), out);
  put_in(distinct.positions.way, positions, out);
}

bool take_differences(Bytes& bytes, std::span<std::uint64_t> numbers) {
  const auto lag = take_uleb128(bytes);
  const auto first = take_uleb128(bytes);
  const auto least = take_zigzag(bytes);
  if (!lag || *lag == 0 || *lag > kLagMax || !first || !least || numbers.size() < 2) return false;
  if (!take_binned(bytes, numbers.subspan(1))) return false;
  numbers[0] = *first;
  if (*lag == 1) {
    compiled<add_up>(numbers.data() + 1, numbers.size() - 1, *first, *least);
  } else {
    for (std::size_t i = 1; i < numbers.size(); ++i) numbers[i] += *least + numbers[i - std::min<std::size_t>(*lag, i)];
  }
  return true;
}

bool take_second(Bytes& bytes, std::span<std::uint64_t> numbers) {
  const auto first = take_uleb128(bytes);
  const auto difference = take_zigzag(bytes);
  const auto least = take_zigzag(bytes);
  if (!first || !difference || !least || numbers.size() < 3) return false;
  if (!take_binned(bytes, numbers.subspan(2))) return false;
  numbers[0] = *first;
  numbers[1] = *first + *difference;
  compiled<add_up>(numbers.data() + 2, numbers.size() - 2, *difference, *least);
  compiled<add_up>(numbers.data() + 2, numbers.size() - 2, numbers[1], std::uint64_t{0});
  return true;
}

bool take_binned_form(Form form, Bytes& bytes, std::span<std::uint64_t> numbers) {
  switch (form) {
    case kNumbers:
      return take_binned(bytes, numbers);
    case kDifferences:
      return take_differences(bytes, numbers);
    case kSecond:
      return take_second(bytes, numbers);
    default:
      return false;
  }
}

bool take_distinct(Bytes& bytes, std::span<std::uint64_t> numbers) {
  const auto count = take_uleb128(bytes);
  if (!count || *count == 0 || *count > numbers.size()) return false;
  std::vector<std::uint64_t> distinct(*count);
  if (!take_binned(bytes, distinct) || bytes.empty()) return false;
  for (std::size_t i = 1; i < distinct.size(); ++i) distinct[i] += distinct[i - 1];
  const auto form = static_cast<Form>(bytes.front());
  bytes = bytes.subspan(1);
  if (!take_binned_form(form, bytes, numbers)) return false;
  for (std::uint64_t& number : numbers) {
    if (number >= distinct.size()) return false;
    number = distinct[number];
  }
  return true;
}

}  // namespace

bool put_distinct(std::span<const std::uint64_t> numbers, Buffer& out) {
  const auto distinct = distinct_of(numbers, compiled<best_lag>(numbers.data(), numbers.size()));
  if (distinct) put_distinct(numbers, *distinct, out);
  return distinct.has_value();
}

void put_sequence(std::span<const std::uint64_t> numbers, Buffer& out) {
  const std::size_t lag = compiled<best_lag>(numbers.data(), numbers.size());
  const Choice choice = best_way(numbers.size(), lag, [numbers](std::size_t i) { return numbers[i]; });
  Buffer best;
  put_in(choice.way, numbers, best);
  Buffer block;
  if (const auto distinct = distinct_of(numbers, lag)) {
    put_distinct(numbers, *distinct, block);
    if (block.size() < best.size()) best.swap(block);
  }
  out.insert(out.end(), best.begin(), best.end());
}

bool take_sequence(Bytes& bytes, std::span<std::uint64_t> numbers) {
  if (bytes.empty()) return false;
  const auto form = static_cast<Form>(bytes.front());
  bytes = bytes.subspan(1);
  return form == kDistinct ? take_distinct(bytes, numbers) : take_binned_form(form, bytes, numbers);
}

}  // namespace marigram::codec
