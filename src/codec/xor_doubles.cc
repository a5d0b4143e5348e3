#include "codec/xor_doubles.h"

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

/// Calls same(), again(number, window) or anew(number, window) for each value but the first.
template <typename Same, typename Again, typename Anew>
void for_each_xor(std::span<const double> values, Same same, Again again, Anew anew) {
  Window window;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const std::uint64_t number = bits_of(values[i]) ^ bits_of(values[i - 1]);
    if (number == 0) {
      same();
    } else if (const Window own = Window::of(number); window.length > 0 && window.serves(own)) {
      again(number, window);
    } else {
      window = own;
      anew(number, window);
    }
  }
}

}  // namespace

std::size_t xor_bytes(std::span<const double> values) {
  std::size_t bits = 0;
  for_each_xor(
      values, [&] { bits += 1; }, [&](std::uint64_t, const Window& window) { bits += 2 + window.length; },
      [&](std::uint64_t, const Window& window) { bits += 2 + 11 + window.length; });
  return sizeof(double) + (bits + 7) / 8;
}

void put_xor(std::span<const double> values, Buffer& out) {
  BitWriter bits(out);
  bits.put(bits_of(values[0]), 64);
  for_each_xor(
      values, [&] { bits.put(0b0, 1); },
      [&](std::uint64_t number, const Window& window) {
        bits.put(0b01, 2);
        bits.put(number >> window.trailing(), window.length);
      },
      [&](std::uint64_t number, const Window& window) {
        bits.put(0b11 | window.leading << 2U | (window.length - 1) << 7U, 13);
        bits.put(number >> window.trailing(), window.length);
      });
  bits.finish();
}

bool take_xor(Bytes& bytes, std::span<double> values) {
  BitReader bits(bytes);
  std::uint64_t value = bits.take(64);
  values[0] = std::bit_cast<double>(value);
  Window window{.leading = 0, .length = 64};
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (bits.take_bit()) {
      if (bits.take_bit()) {
        window.leading = static_cast<unsigned>(bits.take(5));
        window.length = static_cast<unsigned>(bits.take(6)) + 1;
        if (window.leading + window.length > 64) return false;
      }
      value ^= bits.take(window.length) << window.trailing();
    }
    values[i] = std::bit_cast<double>(value);
  }
  bytes = bytes.subspan(bits.bytes_read());
  return !bits.ended_before();
}

}  // namespace marigram::codec
