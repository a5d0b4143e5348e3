#include "codec/tans.h"

#include "base/processors.h"

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

/// Bits in the lowest eight, the symbol in the next, and in the upper half the next state less those bits.
using Slot = std::uint32_t;
using Slots = std::array<Slot, std::size_t{1} << kTansLogMax>;

/// The state behind the slot, with its bits at the begin of the word.
MARIGRAM_LOOP std::uint64_t state_behind(Slot slot, std::uint64_t word) {
  return (slot >> 16U) + (word & ((std::uint64_t{1} << (slot & 63U)) - 1));
}

MARIGRAM_LOOP void make_slots(const std::uint8_t* symbols, unsigned log, std::uint16_t* numbers, Slot* slots) {
  for (std::size_t slot = 0; slot < std::size_t{1} << log; ++slot) {
    const std::uint8_t symbol = symbols[slot];
    const unsigned number = numbers[symbol]++;
    const unsigned bits = log - floor_log2(number);
    slots[slot] = ((number << bits) - (1U << log)) << 16U | unsigned{symbol} << 8U | bits;
  }
}

/// From states to those before them.
class Encoder {
 public:
  Encoder(std::span<const std::uint16_t> weights, unsigned log) : log_(log), steps_(weights.size()) {
    std::vector<std::uint32_t> ends(weights.size());
    std::uint32_t begin = 0;
    for (std::size_t symbol = 0; symbol < weights.size(); ++symbol) {
      // The slot's number is from the weight up to twice it: below this border, a bit less is written.
      const std::uint32_t weight = weights[symbol];
      const unsigned most = log - floor_log2(weight);
      steps_[symbol] = {.bits = (most << 16U) - (weight << most), .begin = begin - weight};
      ends[symbol] = begin;
      begin += weight;
    }
    const std::vector<std::uint8_t> symbols = spread(weights, log);
    slots_.resize(symbols.size());
    for (std::size_t slot = 0; slot < symbols.size(); ++slot) {
      slots_[ends[symbols[slot]]++] = static_cast<std::uint16_t>(slot);
    }
  }

  /// The lowest bits of the state, 2^log added, are written, so many.
  struct Step {
    std::uint16_t value = 0;
    std::uint8_t bits = 0;
  };

  /// The state before the one given, and what is written between them.
  Step step(std::uint8_t symbol, unsigned& state) const {
    const OfSymbol& of = steps_[symbol];
    const unsigned whole = state + (1U << log_);
    const unsigned bits = (whole + of.bits) >> 16U;
    state = slots_[of.begin + (whole >> bits)];
    return {.value = static_cast<std::uint16_t>(whole & ((1U << bits) - 1)), .bits = static_cast<std::uint8_t>(bits)};
  }

 private:
  struct OfSymbol {
    std::uint32_t bits = 0;   // with the state, the number of bits in the upper half
    std::uint32_t begin = 0;  // in slots_, less the weight
  };
  unsigned log_;
  std::vector<OfSymbol> steps_;
  std::vector<std::uint16_t> slots_;  // of each symbol, ascending
};

/// Symbols in fours, as many as can be read without looking for the end. Returns how many.
MARIGRAM_LOOP std::size_t take_quickly(BitReader* in, const Slot* slots, std::uint64_t* states, std::uint8_t* symbols,
                                       std::size_t count) {
  static_assert(kLanes == 4 && kLanes * kTansLogMax <= WordReader::kBits);
  WordReader words(*in);
  std::uint64_t a = states[0];
  std::uint64_t b = states[1];
  std::uint64_t c = states[2];
  std::uint64_t d = states[3];
  std::size_t i = 0;
  for (; i + kLanes <= count && words.refill(); i += kLanes) {
    const Slot slot_a = slots[a];
    const Slot slot_b = slots[b];
    const Slot slot_c = slots[c];
    const Slot slot_d = slots[d];
    symbols[i] = static_cast<std::uint8_t>(slot_a >> 8U);
    symbols[i + 1] = static_cast<std::uint8_t>(slot_b >> 8U);
    symbols[i + 2] = static_cast<std::uint8_t>(slot_c >> 8U);
    symbols[i + 3] = static_cast<std::uint8_t>(slot_d >> 8U);
    // Sums of slots: their lowest bits are the sums of bits, which do not run over.
    const Slot ab = slot_a + slot_b;
    const Slot abc = ab + slot_c;
    const std::uint64_t word = words.word();
    a = state_behind(slot_a, word);
    b = state_behind(slot_b, word >> (slot_a & 63U));
    c = state_behind(slot_c, word >> (ab & 63U));
    d = state_behind(slot_d, word >> (abc & 63U));
    words.skip((abc + slot_d) & 63U);
  }
  states[0] = a;
  states[1] = b;
  states[2] = c;
  states[3] = d;
  *in = words.rest();
  return i;
}

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
  const std::vector<std::uint8_t> spread_symbols = spread(weights, log);
  std::vector<std::uint16_t> numbers(weights.begin(), weights.end());
  Slots slots;  // NOLINT(cppcoreguidelines-pro-type-member-init): as many as needed are set
  compiled<make_slots>(spread_symbols.data(), log, numbers.data(), slots.data());
  std::array<std::uint64_t, kLanes> states{};
  for (std::uint64_t& state : states) state = in.take(log);
  const std::size_t quick = compiled<take_quickly>(&in, slots.data(), states.data(), symbols.data(), symbols.size());
  for (std::size_t i = quick; i < symbols.size(); ++i) {
    const Slot slot = slots[states[i % kLanes]];
    symbols[i] = static_cast<std::uint8_t>(slot >> 8U);
    states[i % kLanes] = state_behind(slot, in.peek());
    in.skip(slot & 63U);
  }
  return !in.ended_before() && std::ranges::all_of(states, [](std::uint64_t state) { return state == 0; });
}

}  // namespace marigram::codec
