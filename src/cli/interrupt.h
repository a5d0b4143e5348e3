// Ctrl-C and its kin: SIGINT, SIGTERM and SIGHUP stop an operation that can be cancelled, and end the program
// otherwise.
#pragma once

#include <marigram/scan.h>

namespace marigram::cli {

/// From here on the signals end the program with 128 + signal (130 for Ctrl-C), and SIGPIPE is ignored: a write to a
/// closed pipe fails with EPIPE instead.
void install_signal_handlers();

/// While one lives, the first signal cancels the token instead; a second one ends the program. One at a time.
class InterruptGuard {
 public:
  explicit InterruptGuard(const CancelToken& token);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  CancelToken token_;  // the handler points to it
};

/// 128 + the signal that cancelled an operation; 0 if none did.
int interrupted_exit_code();

}  // namespace marigram::cli
