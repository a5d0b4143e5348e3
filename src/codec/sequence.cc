#include "codec/sequence.h"

#include "codec/bins.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace marigram::codec {
namespace {

enum Form : std::uint8_t { kNumbers, kDifferences, kSecond, kDistinct };

constexpr std::size_t kLagMax = 255;

/// What is binned, and what stands before it.
struct Binned {
  Form form = kNumbers;
  std::size_t lag = 1;
  std::uint64_t least = 0;
  std::vector<std::uint64_t> numbers = {};
};

/// Makes the numbers distances from the least of them as signed ones.
void subtract_least(Binned& binned) {
  if (binned.numbers.empty()) return;
  binned.least = *std::ranges::min_element(binned.numbers, {},
                                           [](std::uint64_t number) { return static_cast<std::int64_t>(number); });
  for (std::uint64_t& number : binned.numbers) number -= binned.least;
}

Binned differences_of(std::span<const std::uint64_t> numbers, std::size_t lag) {
  Binned binned{.form = kDifferences, .lag = lag};
  binned.numbers.reserve(numbers.size());
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    binned.numbers.push_back(numbers[i] - numbers[i - std::min(lag, i)]);
  }
  subtract_least(binned);
  return binned;
}

Binned second_differences_of(std::span<const std::uint64_t> numbers) {
  Binned binned{.form = kSecond};
  binned.numbers.reserve(numbers.size());
  for (std::size_t i = 2; i < numbers.size(); ++i) {
    binned.numbers.push_back((numbers[i] - numbers[i - 1]) - (numbers[i - 1] - numbers[i - 2]));
  }
  subtract_least(binned);
  return binned;
}

/// Of those that a number is often equal to, the lag of most; 1 if that is the best, or nothing is.
std::size_t best_lag(std::span<const std::uint64_t> numbers) {
  constexpr std::size_t kTried = 16;
  std::size_t best = 1;
  std::size_t most = numbers.size() / 4;
  for (std::size_t lag = 1; lag <= kTried && lag < numbers.size(); ++lag) {
    std::size_t equal = 0;
    for (std::size_t i = lag; i < numbers.size(); ++i) equal += numbers[i] == numbers[i - lag] ? 1 : 0;
    if (equal <= most) continue;
    most = equal;
    best = lag;
  }
  return best;
}

/// About what the numbers take, to judge by some of them.
double bits_of_some(const std::vector<std::uint64_t>& numbers) {
  constexpr std::size_t kEnough = 1'024;
  const std::size_t stride = numbers.size() / kEnough | 1U;  // odd: every other number may be of another kind
  std::vector<std::uint64_t> some;
  some.reserve(numbers.size() / stride + 1);
  for (std::size_t i = 0; i < numbers.size(); i += stride) some.push_back(numbers[i]);
  const double share = static_cast<double>(some.size()) / static_cast<double>(numbers.size());
  return choose_bins(std::move(some)).bits / share;
}

Binned best_binned(std::span<const std::uint64_t> numbers) {
  Binned best{.numbers = {numbers.begin(), numbers.end()}};
  if (numbers.size() < 3) return best;
  double least = bits_of_some(best.numbers);
  const auto keep_smaller = [&](Binned binned) {
    const double bits = bits_of_some(binned.numbers);
    if (bits >= least) return;
    least = bits;
    best = std::move(binned);
  };
  keep_smaller(differences_of(numbers, 1));
  if (const std::size_t lag = best_lag(numbers); lag > 1) keep_smaller(differences_of(numbers, lag));
  keep_smaller(second_differences_of(numbers));
  return best;
}

void put_best(std::span<const std::uint64_t> numbers, Buffer& out) {
  const Binned binned = best_binned(numbers);
  out.push_back(binned.form);
  if (binned.form == kDifferences) put_uleb128(binned.lag, out);
  if (binned.form != kNumbers) put_uleb128(numbers[0], out);
  if (binned.form == kSecond) put_uleb128(zigzag(numbers[1] - numbers[0]), out);
  if (binned.form != kNumbers) put_uleb128(zigzag(binned.least), out);
  put_binned(binned.numbers, choose_bins(binned.numbers), out);
}

bool take_differences(Bytes& bytes, std::span<std::uint64_t> numbers) {
  const auto lag = take_uleb128(bytes);
  const auto first = take_uleb128(bytes);
  const auto least = take_zigzag(bytes);
  if (!lag || *lag == 0 || *lag > kLagMax || !first || !least || numbers.size() < 2) return false;
  if (!take_binned(bytes, numbers.subspan(1))) return false;
  numbers[0] = *first;
  if (*lag == 1) {
    for (std::size_t i = 1; i < numbers.size(); ++i) numbers[i] += *least + numbers[i - 1];
  } else {
    for (std::size_t i = 1; i < numbers.size(); ++i) numbers[i] += *least + numbers[i - std::min<std::size_t>(*lag, i)];
  }
  return true;
}

bool take_second(Bytes& bytes, std::span<std::uint64_t> numbers) {
  const auto first = take_uleb128(bytes);
  auto difference = take_zigzag(bytes);
  const auto least = take_zigzag(bytes);
  if (!first || !difference || !least || numbers.size() < 3) return false;
  if (!take_binned(bytes, numbers.subspan(2))) return false;
  numbers[0] = *first;
  numbers[1] = *first + *difference;
  for (std::size_t i = 2; i < numbers.size(); ++i) {
    *difference += numbers[i] + *least;
    numbers[i] = numbers[i - 1] + *difference;
  }
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
  constexpr std::size_t kRepeats = 4;
  constexpr std::size_t kFew = 2;  // of so many, bins of their own are as good
  std::vector<std::uint64_t> distinct(numbers.begin(), numbers.end());
  radix_sort(distinct);
  distinct.erase(std::ranges::unique(distinct).begin(), distinct.end());
  if (distinct.size() <= kFew || distinct.size() > numbers.size() / kRepeats) return false;
  std::vector<std::uint64_t> positions(numbers.size());
  std::ranges::transform(numbers, positions.begin(), [&](std::uint64_t number) {
    return static_cast<std::uint64_t>(std::ranges::lower_bound(distinct, number) - distinct.begin());
  });
  out.push_back(kDistinct);
  put_uleb128(distinct.size(), out);
  for (std::size_t i = distinct.size() - 1; i > 0; --i) distinct[i] -= distinct[i - 1];
  put_binned(distinct, choose_bins(distinct), out);
  put_best(positions, out);
  return true;
}

void put_sequence(std::span<const std::uint64_t> numbers, Buffer& out) {
  Buffer best;
  put_best(numbers, best);
  Buffer distinct;
  if (put_distinct(numbers, distinct) && distinct.size() < best.size()) best.swap(distinct);
  out.insert(out.end(), best.begin(), best.end());
}

bool take_sequence(Bytes& bytes, std::span<std::uint64_t> numbers) {
  if (bytes.empty()) return false;
  const auto form = static_cast<Form>(bytes.front());
  bytes = bytes.subspan(1);
  return form == kDistinct ? take_distinct(bytes, numbers) : take_binned_form(form, bytes, numbers);
}

}  // namespace marigram::codec
