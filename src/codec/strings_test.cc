// Strings come back byte for byte, and damaged blocks are harmless. Without these tests an index could point to another
// string, or a length out of the block.
#include "codec/strings.h"

#include "codec/test_blocks.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace marigram::codec::testing {
namespace {

std::vector<std::string> random_strings(Random& random) {
  std::vector<std::string> values(static_cast<std::size_t>(1 + below(random, 300)));
  const std::int64_t distinct = 1 + below(random, below(random, 2) == 0 ? 4 : 400);
  for (std::string& value : values) {
    Random content(static_cast<std::uint64_t>(below(random, distinct)));
    value.resize(content() % 20);
    for (char& letter : value) letter = static_cast<char>(content());
  }
  return values;
}

class StringsTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(StringsTest, ComeBack) {
  Random random(GetParam());
  const std::vector<std::string> strings = random_strings(random);
  const std::vector<std::string_view> values(strings.begin(), strings.end());
  Buffer block;
  encode_strings(values, block);
  Bytes bytes(block);
  std::vector<std::string_view> decoded(values.size());
  ASSERT_TRUE(decode_strings(bytes, decoded));
  EXPECT_EQ(decoded, values);
  EXPECT_TRUE(bytes.empty());
  expect_damage_is_harmless(block, random, [&](Bytes& damaged) {
    std::vector<std::string_view> strings_read(values.size());
    const bool whole = decode_strings(damaged, strings_read);
    std::size_t bytes_read = 0;
    for (const std::string_view string : strings_read) bytes_read += std::string(string).size();  // reads all of it
    return whole && bytes_read <= block.size() * values.size();
  });
}

INSTANTIATE_TEST_SUITE_P(Seeds, StringsTest, ::testing::Range<std::uint64_t>(1, 101));

TEST(Strings, RepeatedOnesAreStoredOnce) {
  const std::vector<std::string_view> values(1'000, "a message of more than a few bytes");
  Buffer block;
  encode_strings(values, block);
  EXPECT_LE(block.size(), 45U);
}

}  // namespace
}  // namespace marigram::codec::testing
