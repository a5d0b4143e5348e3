#include "program.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace marigram::bad_input {
namespace {

constexpr unsigned kDeadlineSeconds = 240;

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t end) {
    if (const int descriptor = std::exchange(ends[end], -1); descriptor >= 0) ::close(descriptor);
  }

  std::array<int, 2> ends = {-1, -1};
};

/// Appends what there is to `text`; closes the pipe at its end.
void take(Pipe& pipe, std::string& text) {
  std::array<char, 65'536> part;
  const ::ssize_t size = ::read(pipe.ends[0], part.data(), part.size());
  if (size > 0) {
    text.append(part.data(), static_cast<std::size_t>(size));
  } else {
    pipe.close_end(0);
  }
}

[[noreturn]] void become_program(const std::vector<std::string>& arguments, const std::function<bool()>& prepare,
                                 const Pipe& out, const Pipe& err) {
  if (prepare && !prepare()) ::_exit(kUnprepared);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out.ends[1], STDOUT_FILENO);
  ::dup2(err.ends[1], STDERR_FILENO);
  ::alarm(kDeadlineSeconds);
  std::vector<char*> words;
  std::string program = MARIGRAM_BIN;
  words.push_back(program.data());
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  ::_exit(kUnprepared);
}

}  // namespace

Ran run_program(const std::vector<std::string>& arguments, const std::function<bool()>& prepare) {
  Pipe out;
  Pipe err;
  const pid_t child = ::fork();
  if (child == 0) become_program(arguments, prepare, out, err);
  EXPECT_GT(child, 0);
  out.close_end(1);
  err.close_end(1);
  Ran ran;
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    std::array<pollfd, 2> waiting = {pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0) take(out, ran.out);
    if (waiting[1].revents != 0) take(err, ran.err);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return ran;
}

}  // namespace marigram::bad_input
