// Symbols in as many bits as their share of all says, fractions of a bit too: table asymmetric numeral systems.
//
// Each symbol has a weight, at least 1; together they are 2^log, the size of a table of slots. Slots are given to
// symbols in turn, to each as many as its weight; each slot lies 5/8 of the table and 3 behind the one before, around
// the end. The k-th slot of a symbol of weight w, in the order of the table, stands for the number w + k, and for b
// bits, the fewest by which this, shifted up, is 2^log or more.
//
// A state is a slot. There are four, in turn: symbol i comes from state i mod 4. It is the slot's; and the state
// becomes the slot's number shifted up by b, plus the next b bits, less 2^log. Bits, from the lowest on: the four first
// states, `log` bits each, then those of each symbol. The last states are 0.
//
// J. Duda, Asymmetric numeral systems, arXiv:1311.2540; slots are spread as in Y. Collet's finite state entropy, lanes
// as in F. Giesen, Interleaved entropy coders, arXiv:1402.3392.
#pragma once

#include "codec/bit_reader.h"
#include "codec/bit_writer.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace marigram::codec {

inline constexpr unsigned kTansLogMin = 4;
inline constexpr unsigned kTansLogMax = 12;
inline constexpr std::size_t kTansSymbolsMax = 256;

/// Weights in proportion to the counts, none of which is 0; no more of them than 2^(log - 1). O(counts^2).
std::vector<std::uint16_t> tans_weights(std::span<const std::size_t> counts, unsigned log);

/// Writes symbols below the number of weights. O(symbols + 2^log).
void put_symbols(std::span<const std::uint8_t> symbols, std::span<const std::uint16_t> weights, unsigned log,
                 BitWriter& out);

/// Reads as many symbols as there is room for; each is below the number of weights. False if they are damaged.
bool take_symbols(BitReader& in, std::span<const std::uint16_t> weights, unsigned log, std::span<std::uint8_t> symbols);

}  // namespace marigram::codec
