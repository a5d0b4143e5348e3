// What the tests of all blocks do with them.
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace marigram::codec::testing {

using Random = std::mt19937_64;

inline std::int64_t below(Random& random, std::int64_t end) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
}

/// `decode(bytes)` takes a block off; what it gave is of no interest. The block is copied to a place of exactly its
/// size, so that the address sanitizer sees a step outside.
template <typename Decode>
void expect_damage_is_harmless(const Buffer& block, Random& random, Decode decode) {
  for (std::size_t size = 0; size < block.size(); ++size) {
    const Buffer cut(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(size));
    Bytes bytes(cut);
    EXPECT_FALSE(decode(bytes)) << "cut to " << size << " of " << block.size();
  }
  for (int i = 0; i < 50; ++i) {
    Buffer flipped(block);
    flipped[random() % flipped.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
    Bytes bytes(flipped);
    (void)decode(bytes);
  }
}

}  // namespace marigram::codec::testing
