// Hints to the processor that what lies at an address is needed soon. Any address may be given.
#pragma once

namespace marigram {

inline void prefetch_to_read(const void* at) {
  __builtin_prefetch(at, 0);
}
inline void prefetch_to_write(const void* at) {
  __builtin_prefetch(at, 1);
}

}  // namespace marigram
