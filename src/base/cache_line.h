// How much memory processors pass to and fro at a time.
#pragma once

#include <cstddef>

namespace marigram {

/// Of x86-64 and most others. What different threads write stands this far apart; what is read ahead, by so much.
inline constexpr std::size_t kCacheLineBytes = 64;

}  // namespace marigram
