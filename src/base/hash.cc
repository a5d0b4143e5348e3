#include "base/hash.h"

#include <blake3.h>
#include <sys/random.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace marigram {
namespace {

void append_hex(std::string& out, std::uint8_t byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 0xF]);
}

}  // namespace

struct Blake3::State {
  blake3_hasher hasher;
};

Blake3::Blake3() : state_(std::make_unique<State>()) {
  // The first hash of a process chooses the code for this processor and keeps the choice in a plain variable, so no two
  // threads may be first.
  [[maybe_unused]] static const bool chosen = [] {
    blake3_hasher first;
    std::array<std::uint8_t, BLAKE3_OUT_LEN> hash{};
    blake3_hasher_init(&first);
    blake3_hasher_finalize(&first, hash.data(), hash.size());
    return true;
  }();
  blake3_hasher_init(&state_->hasher);
}
Blake3::~Blake3() = default;
Blake3::Blake3(Blake3&&) noexcept = default;
Blake3& Blake3::operator=(Blake3&&) noexcept = default;

Blake3& Blake3::update(std::string_view bytes) {
  blake3_hasher_update(&state_->hasher, bytes.data(), bytes.size());
  return *this;
}

Blake3& Blake3::update(std::span<const std::byte> bytes) {
  blake3_hasher_update(&state_->hasher, bytes.data(), bytes.size());
  return *this;
}

std::string Blake3::hex(std::size_t digits) const {
  assert(digits <= 2 * BLAKE3_OUT_LEN);
  std::array<std::uint8_t, BLAKE3_OUT_LEN> hash{};
  blake3_hasher_finalize(&state_->hasher, hash.data(), hash.size());
  std::string out;
  out.reserve(2 * hash.size());
  for (const std::uint8_t byte : hash) append_hex(out, byte);
  out.resize(digits);
  return out;
}

std::string random_uuid() {
  std::array<std::uint8_t, 16> bytes{};
  // Up to 256 bytes come in one piece or not at all; only a signal during early boot interrupts it.
  while (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    if (errno == EINTR) continue;
    std::perror("cannot make a UUID: the operating system gives no random bytes");
    std::abort();
  }
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);  // version 4
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);  // variant of RFC 9562
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    append_hex(out, bytes[i]);
  }
  return out;
}

}  // namespace marigram
