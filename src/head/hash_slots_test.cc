// The hash table of numbers and the hash that feeds it. Without this test numbers could get lost when the table grows
// or when hashes collide, or texts with other borders could share a hash.
#include "head/hash_slots.h"
#include "head/text_hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace marigram::head {
namespace {

/// Finds `number`, whatever others have its hash.
std::optional<std::uint32_t> find(const HashSlots& slots, std::uint64_t hash, std::uint32_t number) {
  return slots.find(hash, [&](std::uint32_t candidate) { return candidate == number; });
}

/// `hash_bits` small: nearly all collide.
void add_and_find(int hash_bits) {
  std::mt19937_64 random(3);
  HashSlots slots;
  std::vector<std::uint64_t> hashes;
  for (std::uint32_t number = 0; number < 3'000; ++number) {
    const std::uint64_t hash = random() << (64 - hash_bits);
    ASSERT_FALSE(find(slots, hash, number));
    slots.add(hash, number);
    hashes.push_back(hash);
    ASSERT_TRUE(find(slots, hash, number));
  }
  for (std::uint32_t number = 0; number < hashes.size(); ++number) {
    ASSERT_EQ(find(slots, hashes[number], number), number);
    ASSERT_FALSE(find(slots, ~hashes[number], number));
  }
}

TEST(HashSlots, FindWhatWasAdded) {
  add_and_find(64);
}

TEST(HashSlots, SurviveHashesThatAreAlike) {
  add_and_find(3);
}

TEST(HashSlots, AreEmptyAtFirst) {
  EXPECT_FALSE(find(HashSlots(), 0, 0));
  EXPECT_EQ(HashSlots().bytes(), 0U);
}

TEST(TextHash, TellsBordersAndZerosApart) {
  std::set<std::uint64_t> hashes;
  for (std::size_t length = 0; length < 100; ++length) hashes.insert(hash_text(std::string(length, '\0')));
  EXPECT_EQ(hashes.size(), 100U);
  const auto pair = [](std::string_view a, std::string_view b) { return TextHash().add(a).add(b).value(); };
  EXPECT_NE(pair("ab", "c"), pair("a", "bc"));
  EXPECT_NE(pair("", "a"), pair("a", ""));
  EXPECT_NE(pair("a", "b"), pair("b", "a"));
}

/// Each bit of a text of any length changes every bit of the hash in about half of the texts.
TEST(TextHash, EachBitOfATextChangesHalfOfTheHash) {
  std::mt19937_64 random(4);
  for (const std::size_t length : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 12U, 15U, 16U, 17U, 24U, 31U}) {
    for (std::size_t bit = 0; bit < 8 * length; ++bit) {
      std::vector<int> changes(64);
      for (int i = 0; i < 400; ++i) {
        std::string text(length, ' ');
        for (char& c : text) c = static_cast<char>(random());
        const std::uint64_t before = hash_text(text);
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
        const std::uint64_t changed = before ^ hash_text(text);
        for (std::size_t b = 0; b < 64; ++b) changes[b] += static_cast<int>(changed >> b & 1);
      }
      for (std::size_t b = 32; b < 64; ++b) {  // what HashSlots use
        ASSERT_GT(changes[b], 100) << "length " << length << " bit " << bit << " of the hash " << b;
        ASSERT_LT(changes[b], 300) << "length " << length << " bit " << bit << " of the hash " << b;
      }
    }
  }
}

TEST(SameText, ComparesAllBytes) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'x');
    EXPECT_TRUE(same_text(text, std::string(size, 'x')));
    EXPECT_FALSE(same_text(text, std::string(size + 1, 'x')));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = 'y';
      EXPECT_FALSE(same_text(text, other)) << size << " " << at;
    }
  }
}

}  // namespace
}  // namespace marigram::head
