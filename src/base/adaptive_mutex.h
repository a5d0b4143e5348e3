// A mutex for what is held for microseconds by threads that all run: who waits for it tries again for a while before it
// sleeps, which costs more than the wait.
#pragma once

#include <pthread.h>

namespace marigram {

/// Use as std::mutex. How long it tries is the C library's to learn (PTHREAD_MUTEX_ADAPTIVE_NP of glibc).
class AdaptiveMutex {
 public:
  AdaptiveMutex() = default;
  ~AdaptiveMutex() { pthread_mutex_destroy(&mutex_); }
  AdaptiveMutex(const AdaptiveMutex&) = delete;
  AdaptiveMutex& operator=(const AdaptiveMutex&) = delete;

  // They fail for a mutex of another kind only.
  void lock() { pthread_mutex_lock(&mutex_); }
  bool try_lock() { return pthread_mutex_trylock(&mutex_) == 0; }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
};

}  // namespace marigram
