// Names of segments and coverage files are BLAKE3 hashes, and temporary files are named by UUIDs. Without this test a
// build with a broken hash would write tables whose names no other program computes, and two writers could share a
// name.
#include "base/hash.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace marigram {
namespace {

TEST(Blake3, KnownAnswers) {
  // Of the official test vectors: empty input, and the bytes 0, 1, … 250, 0, 1, … of the given length.
  const std::pair<std::size_t, const char*> vectors[] = {
      {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
      {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
      {1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"},
      {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
      {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
      {102'400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
  };
  for (const auto& [length, hex] : vectors) {
    std::string bytes(length, '\0');
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>(i % 251);
    EXPECT_EQ(Blake3().update(bytes).hex(64), hex) << length;
    EXPECT_EQ(Blake3().update(std::as_bytes(std::span(bytes))).hex(64), hex) << length;
  }
}

TEST(Blake3, GivesThePrefixThatIsAskedForAndGoesOn) {
  Blake3 hash;
  hash.update("ab");
  EXPECT_EQ(hash.hex(0), "");
  const std::string first = hash.hex(64);
  EXPECT_EQ(hash.hex(32), first.substr(0, 32));
  EXPECT_EQ(hash.hex(63), first.substr(0, 63));
  hash.update("c");
  EXPECT_EQ(hash.hex(64), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
  Blake3 moved = std::move(hash);
  EXPECT_EQ(moved.hex(4), "6437");
}

RC_GTEST_PROP(Blake3Property, PiecesDoNotMatter, (const std::vector<std::string>& pieces)) {
  Blake3 by_piece;
  std::string whole;
  for (const std::string& piece : pieces) {
    by_piece.update(piece);
    whole += piece;
  }
  RC_ASSERT(by_piece.hex(64) == Blake3().update(whole).hex(64));
}

TEST(RandomUuid, IsVersion4AndDoesNotRepeat) {
  std::set<std::string> seen;
  std::set<char> variants;
  for (int i = 0; i < 10'000; ++i) {
    const std::string uuid = random_uuid();
    ASSERT_EQ(uuid.size(), 36u);
    for (std::size_t k = 0; k < uuid.size(); ++k) {
      const bool dash = k == 8 || k == 13 || k == 18 || k == 23;
      ASSERT_EQ(uuid[k] == '-', dash) << uuid;
      const bool hex = std::string_view("0123456789abcdef").find(uuid[k]) != std::string_view::npos;
      ASSERT_TRUE(dash || hex) << uuid;
    }
    ASSERT_EQ(uuid[14], '4') << uuid;
    variants.insert(uuid[19]);
    ASSERT_TRUE(seen.insert(uuid).second) << uuid;
  }
  EXPECT_EQ(variants, (std::set<char>{'8', '9', 'a', 'b'}));
}

}  // namespace
}  // namespace marigram
