#include "cli/interrupt.h"

#include <marigram/scan.h>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

namespace marigram::cli {

namespace {

// What the handler touches is lock-free, as a handler must be.
std::atomic<const CancelToken*> g_token = nullptr;
std::atomic<int> g_signal = 0;
static_assert(std::atomic<const CancelToken*>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void on_signal(int signal_number) {
  g_signal.store(signal_number);
  if (const CancelToken* token = g_token.exchange(nullptr); token != nullptr) {
    token->cancel();
    return;
  }
  constexpr std::string_view kMessage = "\nmarigram: interrupted\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  ::_exit(128 + signal_number);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    ::sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);  // nohup stays nohup
  }
  // A closed pipe and a limit on file sizes show as errors of the write, which say more than a signal does.
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  ::sigaction(SIGXFSZ, &action, nullptr);
}

InterruptGuard::InterruptGuard(const CancelToken& token) : token_(token) {
  g_token.store(&token_);
}

InterruptGuard::~InterruptGuard() {
  g_token.store(nullptr);
}

int interrupted_exit_code() {
  const int number = g_signal.load();
  return number == 0 ? 0 : 128 + number;
}

}  // namespace marigram::cli
