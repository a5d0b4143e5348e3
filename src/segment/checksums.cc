#include "segment/checksums.h"

#include "base/hash.h"

#include <marigram/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace marigram::segment {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and read in place");

constexpr std::string_view kMagic = "MARIGCRC";
// A field of type binary and number 32767 in Thrift's compact protocol: long form, number zigzag-encoded.
constexpr std::string_view kFieldHeader = "\x08\xFE\xFF\x03";
// Small enough that reading one page checks little else, large enough that the table stays below 0.1 % of the file.
constexpr std::uint32_t kBlockBytes = 16'384;
constexpr std::size_t kTailBytes = 8 + 4 + 4 + 8;  // what follows the blocks

std::string_view as_chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::unsigned_integral T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <std::unsigned_integral T>
T get(std::string_view bytes, std::size_t at) {
  T value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

std::string uleb128(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}

std::uint64_t block_count(std::uint64_t covered, std::uint32_t block_bytes) {
  return covered / block_bytes + (covered % block_bytes == 0 ? 0 : 1);
}

}  // namespace

void BlockChecksummer::add(std::span<const std::byte> bytes) {
  sums_.covered += bytes.size();
  while (!bytes.empty()) {
    const std::size_t take = std::min(bytes.size(), kBlockBytes - open_bytes_);
    open_crc_ = crc32c(as_chars(bytes.first(take)), open_crc_);
    open_bytes_ += take;
    bytes = bytes.subspan(take);
    if (open_bytes_ == kBlockBytes) {
      sums_.blocks.push_back(open_crc_);
      open_crc_ = 0;
      open_bytes_ = 0;
    }
  }
}

FileChecksums BlockChecksummer::finish() const {
  FileChecksums result = sums_;
  result.block_bytes = kBlockBytes;
  if (open_bytes_ > 0) result.blocks.push_back(open_crc_);
  return result;
}

std::string add_checksums(std::string_view footer, const FileChecksums& sums) {
  assert(!footer.empty() && footer.back() == '\0');
  std::string out(footer.substr(0, footer.size() - 1));
  const std::size_t payload = sums.blocks.size() * sizeof(std::uint32_t) + kTailBytes;
  out += kFieldHeader;
  out += uleb128(payload);
  for (const std::uint32_t block : sums.blocks) put(out, block);
  put(out, sums.covered);
  put(out, sums.block_bytes);
  put(out, crc32c(out));
  out += kMagic;
  out.push_back('\0');
  return out;
}

Result<std::optional<FileChecksums>> read_checksums(std::string_view footer, std::uint64_t offset,
                                                    const std::string& doing) {
  const std::size_t end = footer.size() - 1;  // of the payload
  if (footer.size() < kTailBytes + 1 || footer.substr(end - kMagic.size(), kMagic.size()) != kMagic)
    return std::nullopt;
  const auto damaged = [&](std::string_view cause) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: its footer is damaged: {}", doing, cause));
  };
  if (footer.back() != '\0') return damaged("its last byte is not 0");
  const std::size_t crc_at = end - kMagic.size() - sizeof(std::uint32_t);
  const auto stored = get<std::uint32_t>(footer, crc_at);
  const std::uint32_t computed = crc32c(footer.substr(0, crc_at));
  if (stored != computed) return damaged(fmt::format("checksum {:08x} stored, {:08x} computed", stored, computed));

  FileChecksums sums{.covered = get<std::uint64_t>(footer, end - kTailBytes),
                     .block_bytes = get<std::uint32_t>(footer, end - kTailBytes + sizeof(std::uint64_t)),
                     .blocks = {}};
  if (sums.covered != offset)
    return damaged(fmt::format("it covers {} bytes, and starts at byte {}", sums.covered, offset));
  if (sums.block_bytes == 0) return damaged("blocks of 0 bytes");
  const std::uint64_t count = block_count(sums.covered, sums.block_bytes);
  const std::size_t room = end - kTailBytes;  // upper bound of what the blocks may take
  if (count > room / sizeof(std::uint32_t))
    return damaged(fmt::format("{} checksums do not fit in {} bytes", count, room));
  sums.blocks.resize(count);
  const std::size_t size = count * sizeof(std::uint32_t);
  if (size > 0) std::memcpy(sums.blocks.data(), footer.data() + room - size, size);
  return sums;
}

}  // namespace marigram::segment
