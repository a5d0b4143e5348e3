// The two implementations behind crc32c() of hash.h, apart so that a test can compare them.
#pragma once

#include <cstdint>
#include <string_view>

namespace marigram {

/// Eight table look-ups for eight bytes; any processor.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed);
/// Whether crc32c_sse42 may be called on this processor. False where it is not compiled in.
bool has_crc32c_sse42();
/// The processor's own instruction, x86-64 with SSE 4.2.
std::uint32_t crc32c_sse42(std::string_view bytes, std::uint32_t seed);

}  // namespace marigram
