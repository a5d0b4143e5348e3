// Many processes on one folder: the only coordination between Marigram programs on a machine. Without this test two of
// them could both win a commit number, lose a step of CURRENT, or an acknowledged object could vanish with its writer.
#include "io/local_store.h"
#include "io/temporary_folder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace marigram::io {
namespace {

/// Runs `body(i)` in `count` processes at the same time; true if all return true.
template <typename Body>
bool in_processes(int count, Body body) {
  std::array<int, 2> gate{};
  if (::pipe(gate.data()) != 0) return false;
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(gate[1]);
      char byte = 0;
      static_cast<void>(::read(gate[0], &byte, 1) == 0);  // opens when the parent closes its end
      ::_exit(body(i) ? 0 : 1);
    }
    children.push_back(child);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  bool good = true;
  for (const pid_t child : children) {
    int status = 0;
    good = ::waitpid(child, &status, 0) == child && status == 0 && good;
  }
  return good;
}

TEST(ConcurrentProcesses, ExactlyOneWinsIfAbsent) {
  constexpr int kProcesses = 4;
  constexpr int kRounds = 150;
  const TemporaryFolder folder;
  ASSERT_TRUE(in_processes(kProcesses, [&](int me) {
    const auto store = make_local_store(folder.path()).value();
    for (int round = 0; round < kRounds; ++round) {
      const std::string bytes(9'000, static_cast<char>('a' + me));
      const auto put = store->put("log/" + std::to_string(round), bytes, PutCondition::if_absent());
      if (!put && put.error().code != ErrorCode::kAlreadyExists) return false;
      const auto read = store->read("log/" + std::to_string(round));
      if (!read || read->bytes != std::string(9'000, read->bytes[0])) return false;  // whole, whoever won
      // The winner's word is its claim.
      if (put && !store->put("won/" + std::to_string(round) + "/" + std::to_string(me), "")) return false;
      if (put && read->bytes != bytes) return false;
    }
    return true;
  }));
  const auto store = make_local_store(folder.path()).value();
  for (int round = 0; round < kRounds; ++round) {
    EXPECT_EQ(store->list("won/" + std::to_string(round)).value().size(), 1u) << round;
  }
  EXPECT_TRUE(store->sweep_unfinished(Instant{std::numeric_limits<std::int64_t>::max(), 0}, true).value().empty());
}

TEST(ConcurrentProcesses, IfMatchCountsWithoutLosingAStep) {
  constexpr int kProcesses = 4;
  constexpr int kSteps = 200;
  const TemporaryFolder folder;
  const auto store = make_local_store(folder.path()).value();
  ASSERT_TRUE(store->put("CURRENT", "0"));
  ASSERT_TRUE(in_processes(kProcesses, [&](int) {
    const auto mine = make_local_store(folder.path()).value();
    for (int step = 0; step < kSteps;) {
      const auto now = mine->read("CURRENT");
      if (!now) return false;
      const std::string next = std::to_string(std::stoi(now->bytes) + 1);
      const auto put = mine->put("CURRENT", next, PutCondition::if_match(now->info.version));
      if (put) ++step;
      if (!put && put.error().code != ErrorCode::kConflict) return false;
    }
    return true;
  }));
  EXPECT_EQ(store->read("CURRENT").value().bytes, std::to_string(kProcesses * kSteps));
}

TEST(ConcurrentProcesses, AKilledWriterLeavesWhatItAcknowledgedAndWholeObjectsOnly) {
  for (int cycle = 0; cycle < 12; ++cycle) {
    const TemporaryFolder folder;
    std::array<int, 2> acknowledged{};
    ASSERT_EQ(::pipe(acknowledged.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto store = make_local_store(folder.path() / "root").value();
      for (int i = 0;; ++i) {
        const std::string bytes(static_cast<std::size_t>(i * 997 % 50'000), static_cast<char>('a' + i % 26));
        if (!store->put("k/" + std::to_string(i % 7), bytes)) ::_exit(1);
        if (::write(acknowledged[1], &i, sizeof(i)) != sizeof(i)) ::_exit(0);
      }
    }
    ::close(acknowledged[1]);
    int last = -1;
    for (int seen = 0; seen < 5 + cycle * 5; ++seen) ASSERT_EQ(::read(acknowledged[0], &last, sizeof(last)), 4);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    for (int i = 0; ::read(acknowledged[0], &i, sizeof(i)) == 4;) last = i;  // what was on its way
    ::close(acknowledged[0]);

    const auto store = make_local_store(folder.path() / "root").value();
    const auto bytes_of_put = [](int i) {
      return std::string(static_cast<std::size_t>(i * 997 % 50'000), static_cast<char>('a' + i % 26));
    };
    for (int i = std::max(0, last - 6); i <= last; ++i) {
      const auto read = store->read("k/" + std::to_string(i % 7));
      ASSERT_TRUE(read) << read.error().message;
      // The put after the last acknowledged one may have happened.
      ASSERT_TRUE(read->bytes == bytes_of_put(i) || (i + 7 == last + 1 && read->bytes == bytes_of_put(last + 1))) << i;
    }
    const auto leftovers = store->sweep_unfinished(Instant{std::numeric_limits<std::int64_t>::max(), 0}, false).value();
    EXPECT_LE(leftovers.size(), 1u);
    EXPECT_LE(store->list("").value().size(), 7u);
  }
}

}  // namespace
}  // namespace marigram::io
