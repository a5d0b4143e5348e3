// A process that is watched, and killed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace marigram::kill {

struct Ended {
  int status = 0;  // exit status; minus the signal that ended it
  std::string out;
  std::string err;
};

/// Not thread-safe. Killed when destroyed.
class Child {
 public:
  /// `words`: the program and its arguments. `environment`: NAME=VALUE that it gets beside ours.
  Child(const std::vector<std::string>& words, const std::vector<std::string>& environment);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Returns when the time is over, or the process.
  void watch(std::chrono::milliseconds time);
  /// The same, but also when it has written `mark` to its standard output.
  void await(char mark, std::chrono::milliseconds time);
  void kill() const;
  /// Waits for its end; a process that takes minutes is killed.
  Ended end();

 private:
  /// Takes what it has written by then; false if it has closed both.
  bool take(std::chrono::steady_clock::time_point until);

  ::pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  Ended so_far_;
};

}  // namespace marigram::kill
