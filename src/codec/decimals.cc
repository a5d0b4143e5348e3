#include "codec/decimals.h"

#include "base/processors.h"
#include "codec/quotients.h"
#include "codec/xor_doubles.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace marigram::codec {
namespace {

constexpr std::uint8_t kExponentBits = 15;
constexpr std::uint8_t kSingle = 1U << 4U;
constexpr std::uint8_t kCorrected = 1U << 5U;

double quotient(std::int64_t integer, double power, bool single) {
  const double value = static_cast<double>(integer) / power;
  return single ? static_cast<double>(static_cast<float>(value)) : value;
}

/// A quotient at or near a value.
struct Near {
  std::int64_t integer = 0;
  std::int64_t correction = 0;
};

std::optional<Near> near(double value, double power, bool single) {
  constexpr double kExactMax = 9007199254740992.0;   // up to it, every integer is a double
  constexpr double kCorrectedMax = 8796093022208.0;  // up to it, a correction saves at least as much as it takes
  constexpr std::uint64_t kCorrectionMax = 8;        // either way
  const double product = value * power;
  if (!(std::abs(product) <= kExactMax)) return std::nullopt;  // NaN too
  const auto integer = static_cast<std::int64_t>(product < 0 ? product - 0.5 : product + 0.5);
  const std::uint64_t correction = static_cast<std::uint64_t>(ordered_of(value)) -
                                   static_cast<std::uint64_t>(ordered_of(quotient(integer, power, single)));
  const bool is_near =
      !single && std::abs(product) <= kCorrectedMax && correction + kCorrectionMax <= 2 * kCorrectionMax;
  if (correction != 0 && !is_near) return std::nullopt;
  return Near{integer, static_cast<std::int64_t>(correction)};
}

/// All values without exceptions and corrections, by the smallest exponent.
std::optional<Decimals> exact_decimals(std::span<const double> values, bool single) {
  Decimals decimals{.single = single};
  decimals.integers.reserve(values.size());
  while (decimals.integers.size() < values.size()) {
    const auto found = near(values[decimals.integers.size()], power_of_ten(decimals.exponent), single);
    if (found && found->correction == 0) {
      decimals.integers.push_back(found->integer);
      continue;
    }
    if (++decimals.exponent == kExponentsOfTen) return std::nullopt;
    decimals.integers.clear();
  }
  return decimals;
}

/// The smallest exponent by which fewest of some of the values are exceptions, if it is not too many.
std::optional<unsigned> guess_exponent(std::span<const double> values) {
  constexpr std::size_t kSample = 32;
  const std::size_t step = std::max<std::size_t>(values.size() / kSample, 1);
  std::size_t fewest = values.size() / step / 4 + 1;
  std::optional<unsigned> best;
  for (unsigned exponent = 0; exponent < kExponentsOfTen; ++exponent) {
    std::size_t exceptions = 0;
    for (std::size_t i = 0; i < values.size() && exceptions < fewest; i += step) {
      exceptions += near(values[i], power_of_ten(exponent), false) ? 0 : 1;
    }
    if (exceptions >= fewest) continue;
    fewest = exceptions;
    best = exponent;
  }
  return best;
}

std::optional<Decimals> near_decimals(std::span<const double> values) {
  const auto exponent = guess_exponent(values);
  if (!exponent) return std::nullopt;
  const std::size_t exceptions_max = values.size() / 8;
  Decimals decimals{.exponent = *exponent};
  decimals.integers.reserve(values.size());
  decimals.corrections.reserve(values.size());
  bool corrected = false;
  std::int64_t before = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto found = near(values[i], power_of_ten(*exponent), false);
    if (found) {
      before = found->integer;
    } else {
      if (decimals.exceptions.size() == exceptions_max) return std::nullopt;
      decimals.positions.push_back(static_cast<std::int64_t>(i));
      decimals.exceptions.push_back(values[i]);
    }
    decimals.integers.push_back(before);
    decimals.corrections.push_back(found ? found->correction : 0);
    corrected |= decimals.corrections.back() != 0;
  }
  if (!corrected) decimals.corrections.clear();
  return decimals;
}

MARIGRAM_LOOP void round_to_single(std::uint64_t* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<float>(std::bit_cast<double>(values[i]))));
  }
}

MARIGRAM_LOOP void correct(std::uint64_t* values, const std::uint64_t* corrections, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    values[i] =
        bits_of_ordered(static_cast<std::uint64_t>(ordered_of(std::bit_cast<double>(values[i]))) + corrections[i]);
  }
}

bool add_corrections(Bytes& bytes, std::span<std::uint64_t> values) {
  std::vector<std::uint64_t> corrections(values.size());
  if (!decode_integers(bytes, 0, corrections)) return false;
  compiled<correct>(values.data(), corrections.data(), values.size());
  return true;
}

bool take_exceptions(Bytes& bytes, std::size_t count, std::span<std::uint64_t> values) {
  std::vector<std::uint64_t> positions(count);
  std::vector<std::uint64_t> exceptions(count);
  if (!decode_integers(bytes, 0, positions) || !take_xor(bytes, exceptions)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (positions[i] >= values.size()) return false;
    values[positions[i]] = exceptions[i];
  }
  return true;
}

}  // namespace

std::optional<Decimals> decimals_of(std::span<const double> values) {
  auto decimals = exact_decimals(values, false);
  if (!decimals) decimals = exact_decimals(values, true);
  return decimals ? std::move(decimals) : near_decimals(values);
}

void put_decimals(const Decimals& decimals, Method method, Buffer& out) {
  out.push_back(static_cast<std::uint8_t>(decimals.exponent | (decimals.single ? kSingle : 0U) |
                                          (decimals.corrections.empty() ? 0U : kCorrected)));
  put_uleb128(decimals.exceptions.size(), out);
  encode_integers(decimals.integers, 0, out, method);
  if (!decimals.corrections.empty()) encode_integers(decimals.corrections, 0, out, method);
  if (decimals.exceptions.empty()) return;
  encode_integers(decimals.positions, 0, out, method);
  put_xor(decimals.exceptions, out);
}

bool take_decimals(Bytes& bytes, std::span<std::uint64_t> values) {
  if (bytes.empty() || bytes.front() >= 2 * kCorrected) return false;
  const std::uint8_t head = bytes.front();
  bytes = bytes.subspan(1);
  const auto exceptions = take_uleb128(bytes);
  if (!exceptions || *exceptions > values.size()) return false;
  if (!decode_quotients(bytes, head & kExponentBits, values)) return false;
  if ((head & kSingle) != 0) compiled<round_to_single>(values.data(), values.size());
  if ((head & kCorrected) != 0 && !add_corrections(bytes, values)) return false;
  return *exceptions == 0 || take_exceptions(bytes, *exceptions, values);
}

}  // namespace marigram::codec
