// The bytes of records and file headers. Without this test a flipped bit, a stale record of a recycled file or a length
// out of nowhere could be taken for data, and a change of the format would go unseen.
#include "wal/format.h"

#include "base/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace marigram::wal {
namespace {

using Bytes = std::vector<std::byte>;

std::string hex_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned>(byte) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

/// Puts a record into `file` at `offset`; returns the offset behind it.
std::uint64_t put_record(Bytes& file, Lsn first, std::uint64_t offset, const std::string& payload, Lsn synced = 0,
                         RecordKind kind = RecordKind::kBatch) {
  const auto header = encode({.kind = kind, .lsn = first + offset, .synced = synced}, payload.size(), crc32c(payload));
  std::ranges::copy(header, file.begin() + static_cast<std::ptrdiff_t>(offset));
  std::ranges::copy(std::as_bytes(std::span(payload)),
                    file.begin() + static_cast<std::ptrdiff_t>(offset + kRecordHeaderBytes));
  return offset + record_bytes(payload.size());
}

TEST(WalFormat, HeadersOfFilesAreTheseBytes) {
  FileHeader header{.first = 0x1000, .file_bytes = 1 << 20, .id = {}};
  for (std::size_t i = 0; i < header.id.size(); ++i) header.id[i] = static_cast<std::byte>(i + 1);
  const auto bytes = encode(header);
  EXPECT_EQ(hex_of(std::span(bytes).first(60)),
            "4d4752414d57414c0100000000000000"
            "00100000000000000000100000000000"
            "0102030405060708090a0b0c0d0e0f10"
            "000000000000000000000000");
  EXPECT_EQ(decode_file_header(bytes), header);
}

TEST(WalFormat, IdsComeBackAndNothingElseIsOne) {
  LogId id{};
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(i * 17);
  const std::string text = format_id(id);
  EXPECT_EQ(text, "00112233445566778899aabbccddeeff");
  EXPECT_EQ(parse_id(text), id);
  EXPECT_FALSE(parse_id(text + "0"));
  EXPECT_FALSE(parse_id(text.substr(1)));
  EXPECT_FALSE(parse_id(""));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char bad : {'g', 'A', ' ', '-', '+', '\0'}) {
      std::string other = text;
      other[at] = bad;
      EXPECT_FALSE(parse_id(other)) << other;
    }
  }
}

TEST(WalFormat, RecordsAreTheseBytes) {
  Bytes file(1'024);
  EXPECT_EQ(put_record(file, 0x1000, 64, "abc", 0x1040), 96u);
  EXPECT_EQ(hex_of(std::span(file).subspan(64, 4)), "03000010");
  EXPECT_EQ(hex_of(std::span(file).subspan(72, 24)),
            "4010000000000000401000000000000061626300"
            "00000000");
  const auto record = record_at(file, 0x1000, 64);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->header.kind, RecordKind::kBatch);
  EXPECT_EQ(record->header.lsn, 0x1040u);
  EXPECT_EQ(record->header.synced, 0x1040u);
  EXPECT_EQ(hex_of(record->payload), "616263");
}

TEST(WalFormat, EveryFlippedBitOfARecordIsNoticed) {
  for (const std::size_t length : {0, 1, 7, 8, 9, 100}) {
    Bytes file(512);
    const std::uint64_t end = put_record(file, 4'096, 64, std::string(length, 'x'), 4'096);
    ASSERT_TRUE(record_at(file, 4'096, 64));
    for (std::uint64_t i = 64; i < end; ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        file[i] ^= static_cast<std::byte>(1 << bit);
        EXPECT_FALSE(record_at(file, 4'096, 64)) << i << " " << bit;
        file[i] ^= static_cast<std::byte>(1 << bit);
      }
    }
    EXPECT_FALSE(record_at(file, 8'192, 64)) << "a stale record of a recycled file";
    for (std::uint64_t size = 0; size < end; ++size) {
      EXPECT_FALSE(record_at(std::span(file).first(size), 4'096, 64)) << size;
    }
    EXPECT_TRUE(record_at(std::span(file).first(end), 4'096, 64));
  }
}

TEST(WalFormat, EveryFlippedBitOfAFileHeaderIsNoticed) {
  auto bytes = encode(FileHeader{.first = 64, .file_bytes = 1'024, .id = {}});
  ASSERT_TRUE(decode_file_header(bytes));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= static_cast<std::byte>(1 << bit);
      EXPECT_FALSE(decode_file_header(bytes)) << i << " " << bit;
      bytes[i] ^= static_cast<std::byte>(1 << bit);
    }
    EXPECT_FALSE(decode_file_header(std::span(bytes).first(i)));
  }
}

TEST(WalFormat, HeadersWithSizesThatMakeNoSenseAreRefused) {
  const auto refused = [](const FileHeader& header) { return !decode_file_header(encode(header)).has_value(); };
  EXPECT_FALSE(refused({.first = 0, .file_bytes = kFileBytesMin, .id = {}}));
  EXPECT_FALSE(refused({.first = 8, .file_bytes = kFileBytesMax, .id = {}}));
  EXPECT_TRUE(refused({.first = 0, .file_bytes = 512, .id = {}}));
  EXPECT_TRUE(refused({.first = 0, .file_bytes = kFileBytesMax + 512, .id = {}}));
  EXPECT_TRUE(refused({.first = 0, .file_bytes = 1'025, .id = {}}));
  EXPECT_TRUE(refused({.first = 4, .file_bytes = 1'024, .id = {}}));
  EXPECT_TRUE(refused({.first = UINT64_MAX - 7, .file_bytes = 1'024, .id = {}}));
}

TEST(WalFormat, RecordsWithFieldsThatMakeNoSenseAreRefused) {
  Bytes file(1'024);
  put_record(file, 0, 64, "", 72);
  EXPECT_FALSE(record_at(file, 0, 64)) << "synced beyond itself";
  put_record(file, 0, 64, "x", 0, RecordKind::kEndOfFile);
  EXPECT_FALSE(record_at(file, 0, 64)) << "an end with a payload";
  put_record(file, 0, 64, "", 0, static_cast<RecordKind>(4));
  EXPECT_FALSE(record_at(file, 0, 64)) << "an unknown kind";
  put_record(file, 0, 64, "", 0, static_cast<RecordKind>(0));
  EXPECT_FALSE(record_at(file, 0, 64)) << "no kind";
  put_record(file, 4, 68, "");
  EXPECT_FALSE(record_at(file, 4, 68)) << "out of line";
  EXPECT_FALSE(record_at(file, 0, UINT64_MAX - 7));
}

TEST(WalFormat, NamesAreTwentyDigits) {
  EXPECT_EQ(file_name(0), "00000000000000000000.wal");
  EXPECT_EQ(file_name(67'108'864), "00000000000067108864.wal");
  for (const Lsn first : {Lsn{0}, Lsn{8}, Lsn{67'108'864}, Lsn{1} << 62}) {
    EXPECT_EQ(parse_file_name(file_name(first)), first);
  }
  for (const char* const bad :
       {"", "0.wal", "00000000000000000000", "00000000000000000000.wal2", "0000000000000000000x.wal",
        "-0000000000000000008.wal", "+0000000000000000008.wal", "00000000000000000001.wal", "99999999999999999999.wal",
        "18446744073709551608.wal", "00000000000000000000.WAL"}) {
    EXPECT_FALSE(parse_file_name(bad)) << bad;
  }
}

TEST(WalFormat, RecordsAreFoundBehindGarbage) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    Bytes file(2'048);
    for (std::byte& byte : file) byte = static_cast<std::byte>(random());
    const std::uint64_t offset = 64 + 8 * (random() % 200);
    EXPECT_FALSE(next_record(file, 0, 64));
    EXPECT_EQ(leftovers_from(file, 0, 64).end, 64u);
    const std::uint64_t end = put_record(file, 0, offset, std::string(16, 'p'));
    const auto found = next_record(file, 0, 64);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->header.lsn, offset);
    file[offset + 30] ^= std::byte{1};
    EXPECT_FALSE(next_record(file, 0, 64));
    const Leftovers left = leftovers_from(file, 0, 64);
    EXPECT_EQ(left.offsets, std::vector<std::uint64_t>{offset});
    EXPECT_EQ(left.end, end);
  }
}

TEST(WalFormat, LengthsOutOfNowhereReachNoFartherThanTheFile) {
  Bytes file(1'024);
  std::mt19937_64 random(2);
  for (int round = 0; round < 10'000; ++round) {
    const std::uint64_t offset = 64 + 8 * (random() % 118);
    put_record(file, 0, offset, "");
    for (std::size_t i = 0; i < 4; ++i) file[offset + i] = static_cast<std::byte>(random());
    for (std::uint64_t at = 0; at <= file.size() + 16; at += 8) {
      const auto record = record_at(file, 0, at);
      if (record) {
        EXPECT_LE(at + record_bytes(record->payload.size()), file.size());
      }
    }
    EXPECT_LE(leftovers_from(file, 0, 64).end, file.size());
  }
}

}  // namespace
}  // namespace marigram::wal
