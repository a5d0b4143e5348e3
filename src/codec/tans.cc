#include "codec/tans.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

namespace marigram::codec {
namespace {

constexpr std::size_t kLanes = 4;

/// The symbol of each slot.
std::vector<std::uint8_t> spread(std::span<const std::uint16_t> weights, unsigned log) {
  const std::size_t size = std::size_t{1} << log;
  const std::size_t step = size / 2 + size / 8 + 3;  // odd, so that it meets every slot
  std::vector<std::uint8_t> symbols(size);
  std::size_t at = 0;
  for (std::size_t symbol = 0; symbol < weights.size(); ++symbol) {
    for (unsigned k = 0; k < weights[symbol]; ++k) {
      symbols[at] = static_cast<std::uint8_t>(symbol);
      at = (at + step) % size;
    }
  }
  return symbols;
}

unsigned floor_log2(unsigned number) {
  return static_cast<unsigned>(std::bit_width(number)) - 1;
}

struct Slot {
  std::uint16_t next = 0;
  std::uint8_t symbol = 0;
  std::uint8_t bits = 0;
};

std::vector<Slot> slots_of(std::span<const std::uint16_t> weights, unsigned log) {
  const std::vector<std::uint8_t> symbols = spread(weights, log);
  std::vector<std::uint16_t> numbers(weights.begin(), weights.end());
  std::vector<Slot> slots(symbols.size());
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    const std::uint8_t symbol = symbols[slot];
    const unsigned number = numbers[symbol]++;
    const unsigned bits = log - floor_log2(number);
    slots[slot] = {.next = static_cast<std::uint16_t>((number << bits) - (1U << log)),
                   .symbol = symbol,
                   .bits = static_cast<std::uint8_t>(bits)};
  }
  return slots;
}

/// From states to those before them.
class Encoder {
 public:
  Encoder(std::span<const std::uint16_t> weights, unsigned log) : weights_(weights), log_(log) {
    begins_.reserve(weights.size());
    std::size_t begin = 0;
    for (const std::uint16_t weight : weights) {
      begins_.push_back(begin);
      begin += weight;
    }
    const std::vector<std::uint8_t> symbols = spread(weights, log);
    std::vector<std::size_t> ends = begins_;
    slots_.resize(symbols.size());
    for (std::size_t slot = 0; slot < symbols.size(); ++slot) {
      slots_[ends[symbols[slot]]++] = static_cast<std::uint16_t>(slot);
    }
  }

  struct Step {
    std::uint16_t value = 0;
    std::uint8_t bits = 0;
  };

  /// The state before the one given, and what is written between them.
  Step step(std::uint8_t symbol, unsigned& state) const {
    const unsigned weight = weights_[symbol];
    const unsigned whole = state + (1U << log_);
    const unsigned most = log_ - floor_log2(weight);
    const unsigned bits = whole >> most < weight ? most - 1 : most;
    state = slots_[begins_[symbol] + (whole >> bits) - weight];
    return {.value = static_cast<std::uint16_t>(whole & ((1U << bits) - 1)), .bits = static_cast<std::uint8_t>(bits)};
  }

 private:
  std::span<const std::uint16_t> weights_;
  unsigned log_;
  std::vector<std::size_t> begins_;   // of each symbol, in slots_
  std::vector<std::uint16_t> slots_;  // of each symbol, ascending
};

}  // namespace

std::vector<std::uint16_t> tans_weights(std::span<const std::size_t> counts, unsigned log) {
  const std::size_t size = std::size_t{1} << log;
  const std::size_t all = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  std::vector<std::uint16_t> weights;
  weights.reserve(counts.size());
  std::size_t sum = 0;
  for (const std::size_t count : counts) {
    weights.push_back(static_cast<std::uint16_t>(std::max<std::size_t>((count * size + all / 2) / all, 1)));
    sum += weights.back();
  }
  // What rounding gave too much or too little is the most frequent symbol's, for which it matters least.
  for (; sum > size; --sum) --*std::ranges::max_element(weights);
  if (sum < size) *std::ranges::max_element(weights) += static_cast<std::uint16_t>(size - sum);
  return weights;
}

void put_symbols(std::span<const std::uint8_t> symbols, std::span<const std::uint16_t> weights, unsigned log,
                 BitWriter& out) {
  const Encoder encoder(weights, log);
  std::array<unsigned, kLanes> states{};
  std::vector<Encoder::Step> steps(symbols.size());
  for (std::size_t i = symbols.size(); i-- > 0;) steps[i] = encoder.step(symbols[i], states[i % kLanes]);
  for (const unsigned state : states) out.put(state, log);
  for (const Encoder::Step& step : steps) out.put(step.value, step.bits);
}

bool take_symbols(BitReader& in, std::span<const std::uint16_t> weights, unsigned log,
                  std::span<std::uint8_t> symbols) {
  static_assert(kLanes * kTansLogMax <= BitReader::kPeekBits);
  const std::vector<Slot> slots = slots_of(weights, log);
  std::array<std::uint64_t, kLanes> states{};
  for (std::uint64_t& state : states) state = in.take(log);
  std::size_t i = 0;
  for (; i + kLanes <= symbols.size(); i += kLanes) {
    std::uint64_t word = in.peek();
    unsigned used = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const Slot slot = slots[states[lane]];
      symbols[i + lane] = slot.symbol;
      states[lane] = slot.next + (word & ((1U << slot.bits) - 1));
      word >>= slot.bits;
      used += slot.bits;
    }
    in.skip(used);
  }
  for (; i < symbols.size(); ++i) {
    const Slot slot = slots[states[i % kLanes]];
    symbols[i] = slot.symbol;
    states[i % kLanes] = slot.next + in.take(slot.bits);
  }
  return !in.ended_before() && std::ranges::all_of(states, [](std::uint64_t state) { return state == 0; });
}

}  // namespace marigram::codec
