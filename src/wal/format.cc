#include "wal/format.h"

#include "base/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <cstring>

namespace marigram::wal {
namespace {

constexpr std::string_view kMagic = "MGRAMWAL";
constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kSuffix = ".wal";
constexpr std::size_t kNameDigits = 20;
constexpr std::uint32_t kLengthBits = 28;

template <typename T>
void put(std::span<std::byte> out, std::size_t offset, T value) {
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  std::memcpy(out.data() + offset, &value, sizeof(value));
}

template <typename T>
T get(std::span<const std::byte> bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  return value;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

/// Continues the payload's checksum over the header, but for the place of the checksum itself.
std::uint32_t seal(std::span<const std::byte> header, std::uint32_t payload_crc) {
  return crc32c(text_of(header.subspan(8, 16)), crc32c(text_of(header.first(4)), payload_crc));
}

bool has_room(std::span<const std::byte> file, std::uint64_t offset) {
  return offset <= file.size() && file.size() - offset >= kRecordHeaderBytes;
}

bool bears_its_lsn(std::span<const std::byte> file, Lsn first, std::uint64_t offset) {
  return get<std::uint64_t>(file, offset + 8) == first + offset;
}

}  // namespace

std::array<std::byte, kFileHeaderBytes> encode(const FileHeader& header) {
  std::array<std::byte, kFileHeaderBytes> out{};
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  put(out, 8, kVersion);
  put(out, 16, header.first);
  put(out, 24, header.file_bytes);
  std::ranges::copy(header.id, out.begin() + 32);
  put(out, 60, crc32c(text_of(std::span(out).first(60))));
  return out;
}

std::expected<FileHeader, std::string> decode_file_header(std::span<const std::byte> file) {
  if (file.size() < kFileHeaderBytes) {
    return std::unexpected(fmt::format("it has {} bytes, want at least {}", file.size(), kFileHeaderBytes));
  }
  const std::span<const std::byte> bytes = file.first(kFileHeaderBytes);
  if (text_of(bytes.first(kMagic.size())) != kMagic) return std::unexpected("it does not begin with MGRAMWAL");
  if (get<std::uint32_t>(bytes, 60) != crc32c(text_of(bytes.first(60)))) {
    return std::unexpected("the checksum of its header is wrong");
  }
  const auto version = get<std::uint32_t>(bytes, 8);
  if (version != kVersion) return std::unexpected(fmt::format("its format is {}, want {}", version, kVersion));
  FileHeader header{.first = get<std::uint64_t>(bytes, 16), .file_bytes = get<std::uint64_t>(bytes, 24), .id = {}};
  std::ranges::copy(bytes.subspan(32, header.id.size()), header.id.begin());
  const bool sizes_fit =
      header.file_bytes >= kFileBytesMin && header.file_bytes <= kFileBytesMax && header.file_bytes % kSectorBytes == 0;
  const bool lsn_fits = header.first % kAlignment == 0 && header.first <= UINT64_MAX - kFileBytesMax;
  if (!sizes_fit || !lsn_fits) {
    return std::unexpected(fmt::format("its header tells of {} bytes from {}", header.file_bytes, header.first));
  }
  return header;
}

std::string format_id(const LogId& id) {
  std::string text;
  for (const std::byte byte : id) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

std::optional<LogId> parse_id(std::string_view text) {
  LogId id{};
  if (text.size() != 2 * id.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.size(); ++i) {
    unsigned value = 0;
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, value, 16);
    id[i] = static_cast<std::byte>(value);
  }
  return format_id(id) == text ? std::optional(id) : std::nullopt;
}

std::string file_name(Lsn first) {
  return fmt::format("{:020}{}", first, kSuffix);
}

std::optional<Lsn> parse_file_name(std::string_view name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  Lsn first = 0;
  const char* const end = name.data() + kNameDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, first);
  if (error != std::errc() || stop != end || first % kAlignment != 0 || first > UINT64_MAX - kFileBytesMax) {
    return std::nullopt;
  }
  return first;
}

std::array<std::byte, kRecordHeaderBytes> encode(const RecordHeader& header, std::uint64_t payload_bytes,
                                                 std::uint32_t payload_crc) {
  assert(payload_bytes <= kPayloadBytesMax);
  std::array<std::byte, kRecordHeaderBytes> out{};
  const auto kind = static_cast<std::uint32_t>(header.kind);
  put(out, 0, static_cast<std::uint32_t>(payload_bytes) | kind << kLengthBits);
  put(out, 8, header.lsn);
  put(out, 16, header.synced);
  put(out, 4, seal(out, payload_crc));
  return out;
}

std::optional<Record> record_at(std::span<const std::byte> file, Lsn first, std::uint64_t offset) {
  if (!has_room(file, offset) || offset % kAlignment != 0 || !bears_its_lsn(file, first, offset)) return std::nullopt;
  const std::span<const std::byte> header = file.subspan(offset, kRecordHeaderBytes);
  const auto word = get<std::uint32_t>(header, 0);
  const std::uint64_t length = word & ((1U << kLengthBits) - 1);
  const std::uint32_t kind = word >> kLengthBits;
  if (kind < 1 || kind > 3 || (kind != 1 && length != 0) || length > kPayloadBytesMax) return std::nullopt;
  if (record_bytes(length) > file.size() - offset) return std::nullopt;
  const std::span<const std::byte> payload = file.subspan(offset + kRecordHeaderBytes, length);
  const std::uint64_t payload_end = offset + kRecordHeaderBytes + length;
  if (!all_zero(file.subspan(payload_end, offset + record_bytes(length) - payload_end))) return std::nullopt;
  if (get<std::uint32_t>(header, 4) != seal(header, crc32c(text_of(payload)))) return std::nullopt;
  const auto synced = get<std::uint64_t>(header, 16);
  if (synced > first + offset) return std::nullopt;
  return Record{.header = {.kind = static_cast<RecordKind>(kind), .lsn = first + offset, .synced = synced},
                .payload = payload};
}

std::optional<Record> next_record(std::span<const std::byte> file, Lsn first, std::uint64_t offset) {
  for (; has_room(file, offset); offset += kAlignment) {
    if (auto record = record_at(file, first, offset)) return record;
  }
  return std::nullopt;
}

bool is_blank(std::span<const std::byte> file, std::uint64_t offset) {
  if (offset >= file.size()) return true;
  return all_zero(file.subspan(offset, std::min<std::uint64_t>(kRecordHeaderBytes, file.size() - offset)));
}

Leftovers leftovers_from(std::span<const std::byte> file, Lsn first, std::uint64_t offset) {
  Leftovers found{.offsets = {}, .end = offset};
  for (; has_room(file, offset); offset += kAlignment) {
    if (!bears_its_lsn(file, first, offset)) continue;
    found.offsets.push_back(offset);
    const std::uint64_t length = get<std::uint32_t>(file, offset) & ((1U << kLengthBits) - 1);
    found.end = std::max(found.end, std::min<std::uint64_t>(offset + record_bytes(length), file.size()));
  }
  return found;
}

}  // namespace marigram::wal
