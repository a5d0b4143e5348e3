// Checksums of checkpoints and records. Without this test the processor's instruction and the tables could disagree, so
// that a file written on one machine looks damaged on another. Twins: both implementations, and a bit-by-bit one here.
#include "base/crc32c.h"

#include "base/hash.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace marigram {
namespace {

std::uint32_t crc32c_by_bits(std::string_view bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F6'3B78u : crc >> 1;
  }
  return ~crc;
}

TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE306'9283u);              // the check value of the CRC catalogue
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A91'36AAu);    // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8'AB43u);  // RFC 3720, B.4
}

TEST(Crc32c, AllImplementationsAgreeAtEveryLengthAndAlignment) {
  std::string bytes(600, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + (i >> 3) * 7);
  for (std::size_t start = 0; start < 9; ++start) {
    for (std::size_t length = 0; length < 520; ++length) {
      const std::string_view part = std::string_view(bytes).substr(start, length);
      const std::uint32_t want = crc32c_by_bits(part, 0);
      ASSERT_EQ(crc32c_portable(part, 0), want) << start << " " << length;
      ASSERT_EQ(crc32c(part), want) << start << " " << length;
      if (has_crc32c_sse42()) {
        ASSERT_EQ(crc32c_sse42(part, 0), want) << start << " " << length;
      }
    }
  }
}

TEST(Crc32c, NoticesEveryFlippedBit) {
  std::string bytes = "a record of a few bytes, 0123456789 and so on";
  const std::uint32_t want = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(crc32c(bytes), want);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
}

RC_GTEST_PROP(Crc32cProperty, ContinuesAndAgrees, (const std::string& a, const std::string& b, std::uint32_t seed)) {
  RC_ASSERT(crc32c(b, crc32c(a)) == crc32c(a + b));
  RC_ASSERT(crc32c_portable(a + b, seed) == crc32c_by_bits(a + b, seed));
  if (has_crc32c_sse42()) RC_ASSERT(crc32c_sse42(a + b, seed) == crc32c_portable(a + b, seed));
}

}  // namespace
}  // namespace marigram
