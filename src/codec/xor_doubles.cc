#include "codec/xor_doubles.h"

#include "base/processors.h"
#include "codec/bit_reader.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace marigram::codec {
namespace {

constexpr unsigned kLeadingMax = 31;

std::uint64_t bits_of(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

/// Which bits of an XOR are written out.
struct Window {
  unsigned leading = 64;  // zeros
  unsigned length = 0;

  /// Of a number that is not 0.
  static Window of(std::uint64_t number) {
    const unsigned leading = std::min<unsigned>(static_cast<unsigned>(std::countl_zero(number)), kLeadingMax);
    return {leading, 64 - leading - static_cast<unsigned>(std::countr_zero(number))};
  }
  unsigned trailing() const { return 64 - leading - length; }
  /// Whether `other`, written in this window, takes no more bits than in its own with its description.
  bool serves(const Window& other) const {
    constexpr unsigned kDescriptionBits = 11;
    return other.leading >= leading && other.trailing() >= trailing() && length <= other.length + kDescriptionBits;
  }
};

/// Calls same(), again(number, window) or anew(number, window) for each value but the first, until one returns false.
template <typename Same, typename Again, typename Anew>
void for_each_xor(std::span<const double> values, Same same, Again again, Anew anew) {
  Window window;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const std::uint64_t number = bits_of(values[i]) ^ bits_of(values[i - 1]);
    if (number == 0) {
      if (!same()) return;
    } else if (const Window own = Window::of(number); window.length > 0 && window.serves(own)) {
      if (!again(number, window)) return;
    } else {
      window = own;
      if (!anew(number, window)) return;
    }
  }
}

/// The bits of a window, which begin `before` bits behind those of the word, which the reader gives next.
MARIGRAM_LOOP std::uint64_t take_window(BitReader& bits, std::uint64_t word, unsigned before, unsigned length) {
  if (before + length > BitReader::kPeekBits) {
    bits.skip(before);
    return bits.take(length);
  }
  bits.skip(before + length);
  return (word >> before) & (~std::uint64_t{0} >> (64 - length));
}

/// Bytes that were read; 0 if they are damaged.
MARIGRAM_LOOP std::size_t take_all(Bytes bytes, std::uint64_t* values, std::size_t count) {
  constexpr std::size_t kRun = 8;  // of values that are the one before
  BitReader bits(bytes);
  std::uint64_t value = bits.take(64);
  values[0] = value;
  Window window{.leading = 0, .length = 64};
  for (std::size_t i = 1; i < count;) {
    const std::uint64_t word = bits.peek();
    if ((word & ((1U << kRun) - 1)) == 0 && count - i >= kRun) {
      for (std::size_t k = 0; k < kRun; ++k) values[i + k] = value;
      bits.skip(kRun);
      i += kRun;
      continue;
    }
    if ((word & 1U) == 0) {
      bits.skip(1);
    } else if ((word & 2U) == 0) {
      value ^= take_window(bits, word, 2, window.length) << window.trailing();
    } else {
      window.leading = word >> 2U & 31U;
      window.length = (word >> 7U & 63U) + 1;
      if (window.leading + window.length > 64) return 0;
      value ^= take_window(bits, word, 13, window.length) << window.trailing();
    }
    values[i++] = value;
  }
  return bits.ended_before() ? 0 : bits.bytes_read();
}

}  // namespace

std::size_t xor_bytes(std::span<const double> values, std::size_t enough) {
  std::size_t bits = 0;
  const auto add = [&](std::size_t more) {
    bits += more;
    return bits / 8 < enough;
  };
  for_each_xor(
      values, [&] { return add(1); }, [&](std::uint64_t, const Window& window) { return add(2 + window.length); },
      [&](std::uint64_t, const Window& window) { return add(2 + 11 + window.length); });
  return sizeof(double) + (bits + 7) / 8;
}

void put_xor(std::span<const double> values, Buffer& out) {
  BitWriter bits(out);
  bits.put(bits_of(values[0]), 64);
  for_each_xor(
      values,
      [&] {
        bits.put(0b0, 1);
        return true;
      },
      [&](std::uint64_t number, const Window& window) {
        bits.put(0b01, 2);
        bits.put(number >> window.trailing(), window.length);
        return true;
      },
      [&](std::uint64_t number, const Window& window) {
        bits.put(0b11 | window.leading << 2U | (window.length - 1) << 7U, 13);
        bits.put(number >> window.trailing(), window.length);
        return true;
      });
  bits.finish();
}

bool take_xor(Bytes& bytes, std::span<std::uint64_t> values) {
  const std::size_t read = compiled<take_all>(bytes, values.data(), values.size());
  bytes = bytes.subspan(read);
  return read > 0;
}

}  // namespace marigram::codec
