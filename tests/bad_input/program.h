// The command line, run to its end.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace marigram::bad_input {

inline constexpr int kUnprepared = 125;  // of no command; see run_program

struct Ran {
  int status = 0;  // exit status; minus the signal that ended it
  std::string out;
  std::string err;
};

/// Runs the program with these arguments. `prepare` is called in its process before it starts, and may change that; if
/// it says false, the status is kUnprepared. A program that takes minutes is ended by SIGALRM.
Ran run_program(const std::vector<std::string>& arguments, const std::function<bool()>& prepare = {});

}  // namespace marigram::bad_input
