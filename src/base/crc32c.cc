// CRC-32C (Castagnoli, RFC 3720 appendix B.4): reflected polynomial 0x82F63B78, initial value and final xor ~0.
#include "base/crc32c.h"

#include "base/hash.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace marigram {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F6'3B78;

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Tables for slicing by eight: [k][b] is the CRC of byte b followed by k zero bytes.
consteval Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = tables[k - 1][byte];
      tables[k][byte] = (crc >> 8) ^ tables[0][crc & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint64_t load_u64(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

}  // namespace

std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  if constexpr (std::endian::native == std::endian::little) {
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      const std::uint64_t word = load_u64(bytes.data()) ^ crc;
      crc = 0;
      for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xFF];
    }
  }
  for (const char byte : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  return ~crc;
}

#if defined(__x86_64__)

bool has_crc32c_sse42() {
  return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::string_view bytes, std::uint32_t seed) {
  std::uint64_t crc = static_cast<std::uint32_t>(~seed);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) crc = __builtin_ia32_crc32di(crc, load_u64(bytes.data()));
  auto tail = static_cast<std::uint32_t>(crc);
  for (const char byte : bytes) tail = __builtin_ia32_crc32qi(tail, static_cast<unsigned char>(byte));
  return ~tail;
}

#else

bool has_crc32c_sse42() {
  return false;
}

std::uint32_t crc32c_sse42(std::string_view bytes, std::uint32_t seed) {
  return crc32c_portable(bytes, seed);
}

#endif

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  static const auto kChosen = has_crc32c_sse42() ? &crc32c_sse42 : &crc32c_portable;
  return kChosen(bytes, seed);
}

}  // namespace marigram
