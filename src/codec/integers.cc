#include "codec/integers.h"

#include "base/processors.h"
#include "codec/integers_form.h"
#include "codec/sequence.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <numeric>
#include <vector>

namespace marigram::codec {
namespace {

using integers::bytes_of;
using integers::Encoding;
using integers::kAligned;
using integers::kCodes;
using integers::kWidthInTagMax;
using enum integers::Encoding;

constexpr std::size_t kTickBitsMax = 64;  // of a value, or the bits are not even counted

std::size_t code_of(std::uint64_t z) {
  std::size_t code = 0;
  while (code < kCodes.size() && z - kCodes[code].first >= std::uint64_t{1} << kCodes[code].bits) ++code;
  return code;
}

unsigned code_bits(std::uint64_t z) {
  const std::size_t code = code_of(z);
  return code < kCodes.size() ? static_cast<unsigned>(code) + 1 + kCodes[code].bits
                              : static_cast<unsigned>(kCodes.size()) + 64;
}

void put_code(std::uint64_t z, BitWriter& bits) {
  const std::size_t code = code_of(z);
  const auto ones = static_cast<unsigned>(code);
  if (code == kCodes.size()) {
    bits.put((1U << ones) - 1, ones);
    bits.put(z, 64);
  } else {
    bits.put((1U << ones) - 1, ones + 1);
    bits.put(z - kCodes[code].first, kCodes[code].bits);
  }
}

std::uint64_t unsigned_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

/// Divides multiples of a number by it, without a division: its twos are shifted out, and by what is odd the inverse
/// modulo 2^64 multiplies.
class Divisor {
 public:
  explicit Divisor(std::uint64_t number = 1) : twos_(static_cast<unsigned>(std::countr_zero(number))) {
    const std::uint64_t odd = number >> twos_;
    inverse_ = odd;  // in the lowest three bits; each time in twice as many
    for (int i = 0; i < 5; ++i) inverse_ *= 2 - odd * inverse_;
  }
  std::uint64_t quotient(std::uint64_t multiple) const { return (multiple >> twos_) * inverse_; }
  std::uint64_t quotient(std::int64_t multiple) const { return unsigned_of(multiple >> twos_) * inverse_; }

 private:
  unsigned twos_;
  std::uint64_t inverse_;
};

/// What decides between the encodings.
struct Shape {
  std::int64_t least = 0;
  std::int64_t largest = 0;
  std::uint64_t step = 0;  // the greatest that divides all differences; 0: all values are the same
  Divisor in_steps = Divisor();
  bool has_deltas = true;  // all differences of neighbours fit int64
  bool ascends = true;     // strictly
  std::int64_t least_delta = 0;
  std::int64_t largest_delta = 0;
};

MARIGRAM_LOOP void find_ends(const std::int64_t* values, std::size_t count, Shape* shape) {
  std::int64_t least = values[0];
  std::int64_t largest = values[0];
  std::int64_t least_delta = INT64_MAX;
  std::int64_t largest_delta = INT64_MIN;
  std::uint64_t overflows = 0;  // in the sign bit
  std::uint64_t stays = 0;      // not 0: some value is not above the one before
  for (std::size_t i = 1; i < count; ++i) {
    const std::int64_t value = values[i];
    const std::int64_t before = values[i - 1];
    const auto delta = static_cast<std::int64_t>(unsigned_of(value) - unsigned_of(before));
    least = value < least ? value : least;
    largest = value > largest ? value : largest;
    least_delta = delta < least_delta ? delta : least_delta;
    largest_delta = delta > largest_delta ? delta : largest_delta;
    overflows |= unsigned_of((value ^ before) & (value ^ delta));
    stays |= value > before ? 0U : 1U;
  }
  *shape = {.least = least,
            .largest = largest,
            .has_deltas = overflows >> 63U == 0,
            .ascends = stays == 0,
            .least_delta = least_delta,
            .largest_delta = largest_delta};
}

std::uint64_t step_of(std::span<const std::int64_t> values) {
  std::uint64_t step = 0;
  for (std::size_t i = 1; i < values.size() && step != 1; ++i) {
    const std::int64_t value = values[i];
    const std::int64_t before = values[i - 1];
    const std::uint64_t distance =
        value < before ? unsigned_of(before) - unsigned_of(value) : unsigned_of(value) - unsigned_of(before);
    // A division takes as long as all the rest; regular times do without.
    if (distance != step && (step == 0 || distance % step != 0)) step = std::gcd(step, distance);
  }
  return step;
}

Shape shape_of(std::span<const std::int64_t> values) {
  Shape shape;
  compiled<find_ends>(values.data(), values.size(), &shape);
  shape.step = step_of(values);
  if (shape.step > 0) shape.in_steps = Divisor(shape.step);
  return shape;
}

/// One way to write the block, and its size.
struct Plan {
  Encoding encoding = kConstant;
  std::uint64_t start = 0;  // less the base, divided by step if `aligned`
  bool aligned = false;
  unsigned width = 0;
  std::size_t bytes = 0;
};

/// The part that all but the constant share: tag, step, start.
Plan begin_plan(Encoding encoding, std::int64_t start, std::int64_t base, std::uint64_t step, unsigned width) {
  Plan plan{.encoding = encoding, .start = unsigned_of(start) - unsigned_of(base), .width = width};
  const auto signed_start = static_cast<std::int64_t>(plan.start);
  if (step <= INT64_MAX && signed_start % static_cast<std::int64_t>(step) == 0) {
    plan.aligned = true;
    plan.start = unsigned_of(signed_start / static_cast<std::int64_t>(step));
  }
  plan.bytes = 1U + (width > kWidthInTagMax ? 1U : 0U) + uleb128_bytes(step) + uleb128_bytes(zigzag(plan.start));
  return plan;
}

/// The difference of the neighbours that end at `i`, in steps, modulo 2^64.
std::uint64_t steps_to(std::span<const std::int64_t> values, std::size_t i, const Shape& shape) {
  return shape.in_steps.quotient(values[i] - values[i - 1]);
}

/// More than `most` if they are that.
std::size_t double_delta_bits(std::span<const std::int64_t> values, const Shape& shape, std::size_t most) {
  std::size_t bits = 0;
  std::uint64_t before = steps_to(values, 1, shape);
  for (std::size_t i = 2; i < values.size() && bits <= most; ++i) {
    const std::uint64_t steps = steps_to(values, i, shape);
    bits += code_bits(zigzag(steps - before));
    before = steps;
  }
  return bits;
}

bool is_of(Method method, Encoding encoding) {
  if (method == Method::kDelta) return encoding == kDeltas;
  return (method != Method::kDoubleDelta && method != Method::kGorilla) || encoding == kDoubleDeltas;
}

/// The smallest of the method; packed if it has none for these values.
Plan best_plan(std::span<const std::int64_t> values, std::int64_t base, const Shape& shape, Method method) {
  const std::uint64_t step = shape.step;
  if (step == 0) return {.encoding = kConstant, .start = unsigned_of(values[0]) - unsigned_of(base)};
  const std::uint64_t range = unsigned_of(shape.largest) - unsigned_of(shape.least);
  Plan best = begin_plan(kPacked, shape.least, base, step, static_cast<unsigned>(std::bit_width(range / step)));
  best.bytes = is_of(method, kPacked) ? best.bytes + bytes_of(values.size() * best.width) : SIZE_MAX;
  if (!shape.has_deltas || step > INT64_MAX) return best;
  const auto take = [&](const Plan& plan) {
    if (plan.bytes < best.bytes && is_of(method, plan.encoding)) best = plan;
  };
  const std::size_t deltas = values.size() - 1;
  const std::uint64_t delta_range = unsigned_of(shape.largest_delta) - unsigned_of(shape.least_delta);
  const auto width = static_cast<unsigned>(std::bit_width(delta_range / step));
  Plan plan = begin_plan(kDeltas, values[0], base, step, width);
  plan.bytes += uleb128_bytes(zigzag(unsigned_of(shape.least_delta / static_cast<std::int64_t>(step)))) +
                bytes_of(deltas * width);
  take(plan);
  if (shape.ascends && range / step / kTickBitsMax <= deltas) {
    plan = begin_plan(kTicks, values[0], base, step, 0);
    plan.bytes += bytes_of(range / step);
    take(plan);
  }
  if (width > 0 || !is_of(method, kDeltas)) {
    plan = begin_plan(kDoubleDeltas, values[0], base, step, 0);
    const std::size_t most = best.bytes < SIZE_MAX / 8 ? 8 * best.bytes : SIZE_MAX;
    plan.bytes += uleb128_bytes(zigzag(steps_to(values, 1, shape))) + bytes_of(double_delta_bits(values, shape, most));
    take(plan);
  }
  return best;
}

void put_head(const Plan& plan, std::uint64_t step, Buffer& out) {
  const unsigned width = std::min(plan.width, kWidthInTagMax + 1);
  out.push_back(static_cast<std::uint8_t>(plan.encoding | (plan.aligned ? kAligned : 0U) | (width << 4U)));
  if (width > kWidthInTagMax) out.push_back(static_cast<std::uint8_t>(plan.width));
  if (plan.encoding != kConstant) put_uleb128(step, out);
  put_uleb128(zigzag(plan.start), out);
}

/// The value's distance from the least.
std::uint64_t steps_above_least(std::int64_t value, const Shape& shape) {
  return shape.in_steps.quotient(unsigned_of(value) - unsigned_of(shape.least));
}

void put_body(std::span<const std::int64_t> values, const Shape& shape, const Plan& plan, Buffer& out) {
  BitWriter bits(out);
  const std::uint64_t step = shape.step;
  switch (plan.encoding) {
    case kConstant:
    case kSequence:  // sequence_block()
      break;
    case kPacked:
      for (const std::int64_t value : values) bits.put(steps_above_least(value, shape), plan.width);
      break;
    case kDeltas: {
      const std::uint64_t least = unsigned_of(shape.least_delta / static_cast<std::int64_t>(step));
      put_uleb128(zigzag(least), out);
      if (plan.width == 0) break;
      for (std::size_t i = 1; i < values.size(); ++i) bits.put(steps_to(values, i, shape) - least, plan.width);
      break;
    }
    case kDoubleDeltas: {
      std::uint64_t before = steps_to(values, 1, shape);
      put_uleb128(zigzag(before), out);
      for (std::size_t i = 2; i < values.size(); ++i) {
        const std::uint64_t steps = steps_to(values, i, shape);
        put_code(zigzag(steps - before), bits);
        before = steps;
      }
      break;
    }
    case kTicks:
      for (std::size_t i = 1; i < values.size(); ++i) {
        std::uint64_t zeros = steps_to(values, i, shape) - 1;
        for (; zeros >= 32; zeros -= 32) bits.put(0, 32);
        bits.put(std::uint64_t{1} << zeros, static_cast<unsigned>(zeros) + 1);
      }
      break;
  }
  bits.finish();
}

/// The block as a sequence; nothing if that would be no smaller, or the values hardly repeat where they should.
Buffer sequence_block(std::span<const std::int64_t> values, std::int64_t base, const Shape& shape,
                      std::size_t other_bytes, Method method) {
  constexpr std::size_t kValuesMin = 64;  // of fewer, the bins take more than they save
  Buffer block;
  if (values.size() < kValuesMin || other_bytes <= kValuesMin / 2) return block;
  put_head(begin_plan(kSequence, shape.least, base, shape.step, 0), shape.step, block);
  std::vector<std::uint64_t> numbers(values.size());
  std::ranges::transform(values, numbers.begin(), [&](std::int64_t value) { return steps_above_least(value, shape); });
  if (method != Method::kDictionary) {
    put_sequence(numbers, block);
  } else if (!put_distinct(numbers, block)) {
    block.clear();
  }
  return block;
}

}  // namespace

void encode_integers(std::span<const std::int64_t> values, std::int64_t base, Buffer& out, Method method) {
  const Shape shape = shape_of(values);
  const Plan plan = best_plan(values, base, shape, method);
  if (method == Method::kAuto || method == Method::kDictionary) {
    const Buffer block = sequence_block(values, base, shape, plan.bytes, method);
    // The others are decoded several times as fast, which is worth a quarter.
    if (!block.empty() && (method == Method::kDictionary || block.size() < plan.bytes - plan.bytes / 4)) {
      out.insert(out.end(), block.begin(), block.end());
      return;
    }
  }
  put_head(plan, shape.step, out);
  put_body(values, shape, plan, out);
}

}  // namespace marigram::codec
