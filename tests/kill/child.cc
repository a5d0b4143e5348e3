#include "child.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace marigram::kill {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{3};

void require(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::abort();
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Appends what there is; closes the descriptor at its end.
void drain(int& descriptor, std::string& text) {
  std::array<char, 4'096> part{};
  const ::ssize_t size = ::read(descriptor, part.data(), part.size());
  if (size > 0) {
    text.append(part.data(), static_cast<std::size_t>(size));
  } else {
    ::close(std::exchange(descriptor, -1));
  }
}

}  // namespace

Child::Child(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  require(::pipe2(out.data(), O_CLOEXEC) == 0 && ::pipe2(err.data(), O_CLOEXEC) == 0, "cannot make a pipe");
  std::vector<std::string> arguments = words;
  std::vector<std::string> variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  const int failed = ::posix_spawn(&pid_, arguments.front().c_str(), &actions, nullptr, pointers(arguments).data(),
                                   pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  require(failed == 0, "cannot start a process");
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
}

Child::~Child() {
  if (pid_ < 0) return;
  kill();
  [[maybe_unused]] const Ended ended = end();
}

bool Child::take(Clock::time_point until) {
  if (out_ < 0 && err_ < 0) return false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  std::array<::pollfd, 2> waiting = {::pollfd{out_, POLLIN, 0}, ::pollfd{err_, POLLIN, 0}};
  if (::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<std::int64_t>(left, 0))) <= 0) return true;
  if (waiting[0].revents != 0) drain(out_, so_far_.out);
  if (waiting[1].revents != 0) drain(err_, so_far_.err);
  return true;
}

void Child::watch(std::chrono::milliseconds time) {
  const auto until = Clock::now() + time;
  while (take(until) && Clock::now() < until) continue;
}

void Child::await(char mark, std::chrono::milliseconds time) {
  const auto until = Clock::now() + time;
  while (!so_far_.out.contains(mark) && take(until) && Clock::now() < until) continue;
}

void Child::kill() const {
  ::kill(pid_, SIGKILL);
}

Ended Child::end() {
  const auto until = Clock::now() + kPatience;
  while (take(until) && Clock::now() < until) continue;
  if (out_ >= 0 || err_ >= 0) kill();
  while (take(Clock::now() + kPatience)) continue;
  int status = 0;
  require(::waitpid(std::exchange(pid_, -1), &status, 0) >= 0, "cannot wait for a process");
  so_far_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return std::move(so_far_);
}

}  // namespace marigram::kill
