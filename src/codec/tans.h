// Symbols in as many bits as their share of all says, fractions of a bit too: table asymmetric numeral systems.
//
// A weight for each symbol, at least 1, together 2^log; state x, 0 to 2^log - 1, of four lanes in turn: symbol i
// belongs to lane i mod 4. Slot p of a table has a symbol: the weight's number of slots for symbol 0, then for symbol 1
// and so on, each slot 5/8 of the table and 3 behind the one before, around the end. The k-th slot of a symbol of
// weight w stands for w + k, which takes so many bits b as bring it to 2^log or more: slot p, found as the state, gives
// its symbol, and the next state is
// ((w + k) << b) - 2^log plus the next b bits.
//
// Bits, from the lowest on: the four first states, `log` bits each, then the bits of each symbol; the last states are
// 0.
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
