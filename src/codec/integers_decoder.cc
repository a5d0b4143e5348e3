#include "base/processors.h"
#include "codec/bit_reader.h"
#include "codec/integers.h"
#include "codec/integers_form.h"
#include "codec/quotients.h"
#include "codec/sequence.h"
#include "codec/sums.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <optional>

namespace marigram::codec {
namespace {

using integers::bytes_of;
using integers::Encoding;
using integers::kAligned;
using integers::kCodes;
using integers::kWidthInTagMax;
using enum integers::Encoding;

/// What the fields say.
struct Head {
  std::uint8_t encoding = 0;
  unsigned width = 0;
  std::uint64_t step = 0;
  std::uint64_t start = 0;
};

std::optional<Head> take_head(Bytes& bytes, std::int64_t base) {
  if (bytes.empty()) return std::nullopt;
  const std::uint8_t tag = bytes.front();
  bytes = bytes.subspan(1);
  Head head{.encoding = static_cast<std::uint8_t>(tag & 7U), .width = static_cast<unsigned>(tag >> 4U)};
  if (head.width > kWidthInTagMax) {
    if (bytes.empty() || bytes.front() > 64) return std::nullopt;
    head.width = bytes.front();
    bytes = bytes.subspan(1);
  }
  if (head.encoding > kSequence) return std::nullopt;
  if (head.encoding != kConstant) {
    const auto step = take_uleb128(bytes);
    if (!step || *step == 0) return std::nullopt;
    head.step = *step;
  }
  const auto start = take_zigzag(bytes);
  if (!start) return std::nullopt;
  head.start = static_cast<std::uint64_t>(base) + *start * ((tag & kAligned) != 0 ? head.step : 1);
  return head;
}

/// Calls make(piece) with pieces of which each stays in the nearest cache.
template <typename Make>
void for_each_piece(std::span<std::uint64_t> values, Make make) {
  constexpr std::size_t kPiece = 1'024;
  for (; values.size() > kPiece; values = values.subspan(kPiece)) make(values.first(kPiece));
  make(values);
}

/// Takes the packed numbers, and calls make(numbers) with some of them after the other.
template <typename Make>
bool take_packed(Bytes& bytes, unsigned width, std::span<std::uint64_t> numbers, Make make) {
  const std::size_t size = bytes_of(numbers.size() * width);
  if (bytes.size() < size) return false;
  std::size_t begin = 0;
  for_each_piece(numbers, [&](std::span<std::uint64_t> piece) {
    if (width == 0) {
      std::ranges::fill(piece, 0);
    } else {
      unpack(bytes, width, begin, piece.size(), piece.data());
    }
    begin += piece.size();
    make(piece);
  });
  bytes = bytes.subspan(size);
  return true;
}

/// From steps above the start.
MARIGRAM_LOOP void scale(std::uint64_t* values, std::size_t count, std::uint64_t start, std::uint64_t step) {
  if (step == 1) {
    for (std::size_t i = 0; i < count; ++i) values[i] += start;
  } else {
    for (std::size_t i = 0; i < count; ++i) values[i] = start + values[i] * step;
  }
}

/// Numbers that the array itself counts on by eights come out wrong with g++ 12, so it only says how far they are
/// ahead.
MARIGRAM_LOOP void count_on(std::uint64_t* values, std::size_t count, std::uint64_t start, std::uint64_t difference) {
  constexpr std::size_t kAtOnce = 8;
  std::array<std::uint64_t, kAtOnce> ahead{};
  for (std::size_t k = 0; k < kAtOnce; ++k) ahead[k] = k * difference;
  std::size_t i = 0;
  for (; i + kAtOnce <= count; i += kAtOnce, start += kAtOnce * difference) {
    for (std::size_t k = 0; k < kAtOnce; ++k) values[i + k] = start + ahead[k];
  }
  for (; i < count; ++i, start += difference) values[i] = start;
}

template <typename Finish>
bool take_deltas(Bytes& bytes, const Head& head, std::span<std::uint64_t> values, Finish finish) {
  const auto least = take_zigzag(bytes);
  if (!least) return false;
  const std::uint64_t difference = *least * head.step;
  if (head.width == 0) {
    compiled<count_on>(values.data(), values.size(), head.start, difference);
    finish(values);
    return true;
  }
  values[0] = head.start;
  finish(values.first(1));
  std::uint64_t last = head.start;
  return take_packed(bytes, head.width, values.subspan(1), [&](std::span<std::uint64_t> piece) {
    if (head.step != 1) compiled<scale>(piece.data(), piece.size(), std::uint64_t{0}, head.step);
    last = compiled<add_up>(piece.data(), piece.size(), last, difference);
    finish(piece);
  });
}

/// The lengths of codes, from the lowest byte on.
constexpr std::uint64_t code_lengths() {
  std::uint64_t lengths = 0;
  for (std::size_t ones = 0; ones < kCodes.size(); ++ones) lengths |= (ones + 1 + kCodes[ones].bits) << 8 * ones;
  return lengths;
}

/// Returns how many bytes were read, more than there are if they end too soon.
MARIGRAM_LOOP std::size_t take_codes(Bytes bytes, std::uint64_t* values, std::size_t count, std::uint64_t step,
                                     std::uint64_t steps) {
  constexpr unsigned kRun = 8;  // of zeros, which are the most frequent code
  BitReader bits(bytes);
  std::uint64_t value = values[1];
  for (std::size_t i = 2; i < count;) {
    WordReader words(bits);
    while (i < count && words.refill()) {
      const std::uint64_t word = words.word();
      if ((word & ((1U << kRun) - 1)) == 0 && count - i >= kRun) {
        for (std::size_t k = 0; k < kRun; ++k) values[i + k] = value + (k + 1) * steps * step;
        value = values[i + kRun - 1];
        words.skip(kRun);
        i += kRun;
        continue;
      }
      const auto ones = static_cast<unsigned>(std::countr_one(word));
      if (ones >= kCodes.size()) break;
      const auto length = static_cast<unsigned>(code_lengths() >> 8 * ones & 0xFFU);
      const std::uint64_t number = (word & ((std::uint64_t{1} << length) - 1)) >> ones >> 1U;
      steps += unzigzag(kCodes[ones].first + number);
      words.skip(length);
      values[i++] = value += steps * step;
    }
    bits = words.rest();
    if (i == count) break;
    const unsigned ones = bits.take_ones(kCodes.size());
    const std::uint64_t z = ones == kCodes.size() ? bits.take(64) : kCodes[ones].first + bits.take(kCodes[ones].bits);
    steps += unzigzag(z);
    values[i++] = value += steps * step;
  }
  return bits.ended_before() ? bytes.size() + 1 : bits.bytes_read();
}

bool take_double_deltas(Bytes& bytes, const Head& head, std::span<std::uint64_t> values) {
  const auto first = take_zigzag(bytes);
  if (!first || values.size() < 2) return false;
  values[0] = head.start;
  values[1] = head.start + *first * head.step;
  const std::size_t read = compiled<take_codes>(bytes, values.data(), values.size(), head.step, *first);
  if (read > bytes.size()) return false;
  bytes = bytes.subspan(read);
  return true;
}

/// Returns the bits that were read, more than there are if they end too soon.
MARIGRAM_LOOP std::size_t take_bitmap(Bytes bytes, std::uint64_t* values, std::size_t count, std::uint64_t start,
                                      std::uint64_t step) {
  values[0] = start;
  std::size_t found = 1;
  std::size_t read = 0;
  for (std::size_t at = 0; found < count && at < bytes.size(); at += sizeof(std::uint64_t)) {
    for (std::uint64_t word = load_word(bytes, at); word != 0 && found < count; word &= word - 1) {
      read = 8 * at + static_cast<std::size_t>(std::countr_zero(word)) + 1;
      values[found++] = start + read * step;
    }
  }
  return found == count ? read : 8 * bytes.size() + 1;
}

bool take_ticks(Bytes& bytes, const Head& head, std::span<std::uint64_t> values) {
  const std::size_t read = compiled<take_bitmap>(bytes, values.data(), values.size(), head.start, head.step);
  if (read > 8 * bytes.size()) return false;
  bytes = bytes.subspan(bytes_of(read));
  return true;
}

bool take_steps(Encoding encoding, Bytes& bytes, const Head& head, std::span<std::uint64_t> values) {
  switch (encoding) {
    case kSequence:
      return take_sequence(bytes, values);
    case kDoubleDeltas:
      return take_double_deltas(bytes, head, values);
    default:
      return take_ticks(bytes, head, values);
  }
}

/// Calls finish(values) with some of the values after the other when they are there.
template <typename Finish>
bool decode(Bytes& bytes, std::int64_t base, std::span<std::uint64_t> values, Finish finish) {
  const auto head = take_head(bytes, base);
  if (!head) return false;
  const auto finish_steps = [&](std::span<std::uint64_t> steps) {
    compiled<scale>(steps.data(), steps.size(), head->start, head->step);
    finish(steps);
  };
  const auto encoding = static_cast<Encoding>(head->encoding);
  switch (encoding) {
    case kConstant:
      values[0] = head->start;
      finish(values.first(1));
      std::ranges::fill(values, values[0]);
      return true;
    case kPacked:
      return take_packed(bytes, head->width, values, finish_steps);
    case kDeltas:
      return take_deltas(bytes, *head, values, finish);
    default:
      if (!take_steps(encoding, bytes, *head, values)) return false;
      for_each_piece(values, [&](auto piece) { encoding == kSequence ? finish_steps(piece) : finish(piece); });
      return true;
  }
}

}  // namespace

bool decode_integers(Bytes& bytes, std::int64_t base, std::span<std::uint64_t> values) {
  return decode(bytes, base, values, [](std::span<std::uint64_t>) {});
}

bool decode_quotients(Bytes& bytes, unsigned exponent, std::span<std::uint64_t> values) {
  return decode(bytes, 0, values, [exponent](std::span<std::uint64_t> some) { to_quotients(some, exponent); });
}

}  // namespace marigram::codec
