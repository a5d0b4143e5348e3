// Locks for what is held for a microsecond or so by threads that all run: who waits tries again for a while before it
// sleeps, which costs more than the wait.
#pragma once

#include <mutex>

namespace marigram {

/// As mutex.lock(). An adaptive mutex, as Solaris and glibc (PTHREAD_MUTEX_ADAPTIVE_NP) know it.
inline void lock_patiently(std::mutex& mutex) {
  constexpr int kTries = 100;  // some microseconds
  for (int i = 0; i < kTries; ++i) {
    if (mutex.try_lock()) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }
  mutex.lock();
}

}  // namespace marigram
