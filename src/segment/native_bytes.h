// Numbers of fixed width in the bytes of a native segment; checksums of its parts.
#pragma once

#include "base/hash.h"
#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace marigram::segment {

static_assert(std::endian::native == std::endian::little);

template <typename T>
void put_number(T number, codec::Buffer& out) {
  std::array<std::uint8_t, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &number, sizeof(T));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Takes it off the front; unset if the bytes end before it.
template <typename T>
std::optional<T> take_number(codec::Bytes& bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T number{};
  std::memcpy(&number, bytes.data(), sizeof(T));
  bytes = bytes.subspan(sizeof(T));
  return number;
}

/// CRC-32C; of `bytes` joined to what has the checksum `seed`.
inline std::uint32_t checksum(codec::Bytes bytes, std::uint32_t seed = 0) {
  return crc32c({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, seed);
}

}  // namespace marigram::segment
