// Large blocks of memory. Without these a block could be lent twice, or be smaller than it says.
#include "io/large_memory.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <random>
#include <utility>

namespace marigram::io {
namespace {

constexpr std::size_t kMiB = 1U << 20U;
constexpr std::size_t kStep = 4'096;

TEST(LargeMemoryTest, BlocksAreApart) {
  std::mt19937_64 random(1);
  struct Lent {
    LargeMemory memory;
    std::uint8_t mark;
  };
  std::list<Lent> lent;
  std::uint8_t mark = 0;
  for (int step = 0; step < 400; ++step) {
    if (lent.size() < 4 || (lent.size() < 12 && random() % 2 == 0)) {
      const std::size_t bytes = 1 + random() % (9 * kMiB);
      auto memory = LargeMemory::allocate(bytes);
      ASSERT_TRUE(memory);
      ASSERT_GE(memory->size(), bytes);
      for (std::size_t at = 0; at < memory->size(); at += kStep) memory->data()[at] = mark;
      lent.push_back({*std::move(memory), mark++});
    } else {
      const auto which = std::next(lent.begin(), static_cast<std::ptrdiff_t>(random() % lent.size()));
      LargeMemory& memory = which->memory;
      for (std::size_t at = 0; at < memory.size(); at += kStep) ASSERT_EQ(memory.data()[at], which->mark);
      lent.erase(which);
    }
  }
}

TEST(LargeMemoryTest, ThereIsNoneForTooMuch) {
  EXPECT_FALSE(LargeMemory::allocate(std::size_t{1} << 50U));
}

}  // namespace
}  // namespace marigram::io
