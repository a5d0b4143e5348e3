#include "segment/native_parts.h"

#include "base/try.h"
#include "segment/native_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using codec::Buffer;
using codec::Bytes;

constexpr std::string_view kMagic = "\x89MGS\r\n\x1a\n";
constexpr std::string_view kEndMagic = "MGS-END\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kTrailerBytes = 32;
constexpr std::size_t kTrailerChecked = 20;  // of them, the first ones
constexpr std::size_t kEntryBytes = 24;
constexpr std::uint32_t kOptionalSections = 1U << 31U;  // from here on, readers may pass over what they do not know

/// The sections by number, from 1 on.
auto in_order(auto& sections) {
  return std::array{&sections.schema, &sections.series, &sections.pages, &sections.columns, &sections.presence};
}

struct Entry {
  std::uint32_t number = 0;
  std::uint32_t checksum = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

std::unexpected<Error> corrupt(const std::string& doing, std::string_view cause) {
  return fail(ErrorCode::kCorruption, fmt::format("{}: {}", doing, cause));
}

bool has_magic(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

/// The bytes of the directory, which end where the trailer begins.
Result<Bytes> find_directory(Bytes file, const std::string& doing) {
  if (file.size() < kNativeHeaderBytes + kTrailerBytes || !has_magic(file, kMagic) ||
      !has_magic(file.last(kEndMagic.size()), kEndMagic)) {
    return corrupt(doing, fmt::format("it is not a native segment, or is cut short; got {} bytes", file.size()));
  }
  const Bytes trailer = file.last(kTrailerBytes);
  Bytes rest = trailer;
  const std::uint64_t offset = *take_number<std::uint64_t>(rest);
  const std::uint64_t bytes = *take_number<std::uint64_t>(rest);
  const std::uint32_t directory_checksum = *take_number<std::uint32_t>(rest);
  const Bytes header = file.first(kNativeHeaderBytes);
  if (checksum(header, checksum(trailer.first(kTrailerChecked))) != *take_number<std::uint32_t>(rest)) {
    return corrupt(doing, "its header or its last bytes are damaged: another checksum is stored");
  }
  Bytes version_bytes = header.subspan(kMagic.size());
  if (const auto version = take_number<std::uint32_t>(version_bytes); *version != kVersion) {
    return corrupt(doing,
                   fmt::format("its format has version {}, want {}: a newer program wrote it", *version, kVersion));
  }
  const std::uint64_t end = file.size() - kTrailerBytes;
  if (offset < kNativeHeaderBytes || offset > end || bytes != end - offset || bytes % kEntryBytes != 0 ||
      checksum(file.subspan(offset, bytes)) != directory_checksum) {
    return corrupt(doing, "its directory is damaged");
  }
  return file.subspan(offset, bytes);
}

Entry take_entry(Bytes& bytes) {
  Entry entry;
  entry.number = *take_number<std::uint32_t>(bytes);
  entry.checksum = *take_number<std::uint32_t>(bytes);
  entry.offset = *take_number<std::uint64_t>(bytes);
  entry.bytes = *take_number<std::uint64_t>(bytes);
  return entry;
}

/// The bytes of a section, which lies before `end`.
Result<Bytes> find_section(Bytes file, const Entry& entry, std::uint64_t end, const std::string& doing) {
  if (entry.offset < kNativeHeaderBytes || entry.offset > end || entry.bytes > end - entry.offset) {
    return corrupt(doing, fmt::format("section {} lies outside of the file", entry.number));
  }
  const Bytes bytes = file.subspan(entry.offset, entry.bytes);
  if (const std::uint32_t computed = checksum(bytes); computed != entry.checksum) {
    return corrupt(doing,
                   fmt::format("section {}, bytes {} to {}, is damaged: checksum {:08x} stored, {:08x} computed",
                               entry.number, entry.offset, entry.offset + entry.bytes, entry.checksum, computed));
  }
  return bytes;
}

}  // namespace

Buffer native_header() {
  Buffer header(kNativeHeaderBytes);
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  std::memcpy(header.data() + kMagic.size(), &kVersion, sizeof(kVersion));
  return header;
}

Buffer native_end(const NativeSections<Buffer>& sections, std::uint64_t at) {
  Buffer out;
  Buffer directory;
  std::uint32_t number = 0;
  for (const Buffer* section : in_order(sections)) {
    put_number(++number, directory);
    put_number(checksum(*section), directory);
    put_number<std::uint64_t>(at + out.size(), directory);
    put_number<std::uint64_t>(section->size(), directory);
    out.insert(out.end(), section->begin(), section->end());
  }
  Buffer trailer;
  put_number<std::uint64_t>(at + out.size(), trailer);
  put_number<std::uint64_t>(directory.size(), trailer);
  put_number(checksum(directory), trailer);
  put_number(checksum(native_header(), checksum(trailer)), trailer);
  trailer.insert(trailer.end(), kEndMagic.begin(), kEndMagic.end());
  out.insert(out.end(), directory.begin(), directory.end());
  out.insert(out.end(), trailer.begin(), trailer.end());
  return out;
}

Result<NativeParts> read_native_parts(std::span<const std::byte> file, const std::string& doing) {
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  MARIGRAM_ASSIGN(Bytes directory, find_directory(bytes, doing));
  const auto end = static_cast<std::uint64_t>(directory.data() - bytes.data());
  NativeParts parts{.blocks_end = end};
  const auto wanted = in_order(parts.sections);
  std::size_t found = 0;
  while (!directory.empty()) {
    const Entry entry = take_entry(directory);
    MARIGRAM_ASSIGN(const Bytes section, find_section(bytes, entry, end, doing));
    parts.blocks_end = std::min(parts.blocks_end, entry.offset);
    if (found < wanted.size() && entry.number == found + 1) {
      *wanted[found++] = section;
    } else if (entry.number < kOptionalSections) {
      return corrupt(doing, fmt::format("its section {} is not known, or not in order", entry.number));
    }
  }
  if (found < wanted.size()) return corrupt(doing, fmt::format("section {} is missing", found + 1));
  return parts;
}

}  // namespace marigram::segment
