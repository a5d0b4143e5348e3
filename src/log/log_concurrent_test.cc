// Many writers and readers on one log, in threads and in processes. Without this commits could be lost or doubled when
// writers race, or a reader could see the table go back.
#include "base/clock.h"
#include "io/local_store.h"
#include "io/memory_store.h"
#include "io/temporary_folder.h"
#include "log/log.h"
#include "log/sample_commits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace marigram::log {
namespace {

constexpr std::int64_t kEach = 100;

/// Commits segments 0..kEach-1 in the name of `who`; false on any error.
bool write_all(const std::shared_ptr<io::ObjectStore>& store, const std::string& who) {
  Log log(store, system_clock());
  auto state = log.load();
  if (!state) return false;
  for (std::int64_t n = 0; n < kEach; ++n) {
    const auto done = log.commit_with_retry(
        *state, [&](const TableState&) { return Result<Proposal>(append_proposal(n, Dialect::kV7, who)); });
    if (!done) return false;
    if (n == kEach / 2 && !log.write_checkpoint(*state)) return false;
  }
  return true;
}

void create_table(const std::shared_ptr<io::ObjectStore>& store) {
  TableState state;
  const auto created = Log(store, system_clock()).commit(state, create_proposal());
  ASSERT_TRUE(created) << created.error().message;
}

/// Versions without a gap, each commit once, and the fold holds all of them.
void expect_all_there(const std::shared_ptr<io::ObjectStore>& store, std::uint64_t writers) {
  const Log log(store, system_clock());
  const std::uint64_t commits = writers * kEach + 1;
  ASSERT_EQ(log.latest_version(), commits);
  std::set<std::string> transactions;
  std::set<std::string> paths;
  Instant before;
  for (std::uint64_t version = 1; version <= commits; ++version) {
    const auto commit = log.read(version);
    ASSERT_TRUE(commit) << commit.error().message;
    EXPECT_TRUE(transactions.insert(commit->extension->transaction_id).second);
    if (version > 1) {
      EXPECT_TRUE(paths.insert(std::get<AddSegment>(commit->actions[0]).segment.path).second);
    }
    EXPECT_LE(before, commit->timestamp);
    before = commit->timestamp;
  }
  const auto state = log.load();
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->segments.size(), writers * kEach);
}

void race_threads(const std::shared_ptr<io::ObjectStore>& store) {
  constexpr std::uint64_t kWriters = 8;
  create_table(store);
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> failures = 0;
  std::thread reader([&] {
    const Log log(store, system_clock());
    std::uint64_t seen = 0;
    TableState state;
    while (!over) {
      const auto version = log.latest_version();
      if (!version || *version < seen || !log.refresh(state) || state.version < *version) {
        ++failures;
        return;
      }
      seen = *version;
    }
  });
  std::vector<std::thread> writers;
  for (std::uint64_t i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      if (!write_all(store, "thread-" + std::to_string(i))) ++failures;
    });
  }
  for (std::thread& writer : writers) writer.join();
  over = true;
  reader.join();
  EXPECT_EQ(failures, 0U);
  expect_all_there(store, kWriters);
}

TEST(LogConcurrentTest, ThreadsOnMemory) {
  race_threads(io::make_memory_store(system_clock()));
}

TEST(LogConcurrentTest, ThreadsOnFiles) {
  const io::TemporaryFolder folder;
  race_threads(io::make_local_store(folder.path()).value());
}

TEST(LogConcurrentTest, OneOfManyCreatesTheTable) {
  const io::TemporaryFolder folder;
  const auto store = io::make_local_store(folder.path()).value();
  std::atomic<int> created = 0;
  std::atomic<int> conflicts = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      TableState state;
      const auto done = Log(store, system_clock()).commit(state, create_proposal());
      if (done) {
        ++created;
      } else if (done.error().code == ErrorCode::kConflict) {
        ++conflicts;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(conflicts, 7);
}

TEST(LogConcurrentTest, Processes) {
  constexpr std::uint64_t kWriters = 8;
  const io::TemporaryFolder folder;
  const auto store = io::make_local_store(folder.path()).value();
  create_table(store);
  std::vector<pid_t> children;
  for (std::uint64_t i = 0; i < kWriters; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0)
      ::_exit(write_all(io::make_local_store(folder.path()).value(), "process-" + std::to_string(i)) ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  expect_all_there(store, kWriters);
}

/// Commits segments in the name of `who` and writes the number of each into `acknowledged` once it is committed.
[[noreturn]] void commit_until_killed(const std::filesystem::path& folder, const std::string& who, int acknowledged) {
  Log log(io::make_local_store(folder).value(), system_clock());
  TableState state;
  for (std::uint32_t n = 0;; ++n) {
    const auto done = log.commit_with_retry(
        state, [&](const TableState&) { return Result<Proposal>(append_proposal(n, Dialect::kV7, who)); });
    if (!done || ::write(acknowledged, &n, sizeof(n)) != sizeof(n)) ::_exit(1);
  }
}

/// Reads what a child has told, up to `most` numbers or its end.
std::uint32_t count_told(int told, std::uint32_t most) {
  std::uint32_t count = 0;
  std::uint32_t n = 0;
  while (count < most && ::read(told, &n, sizeof(n)) == sizeof(n)) ++count;
  return count;
}

TEST(LogConcurrentTest, ProcessesThatAreKilled) {
  constexpr int kWriters = 8;
  const io::TemporaryFolder folder;
  const auto store = io::make_local_store(folder.path()).value();
  create_table(store);
  struct Child {
    pid_t id = 0;
    int told = -1;
    std::uint32_t acknowledged = 0;
  };
  std::vector<Child> children(kWriters);
  for (int i = 0; i < kWriters; ++i) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) commit_until_killed(folder.path(), std::to_string(i), ends[1]);
    ::close(ends[1]);
    children[static_cast<std::size_t>(i)] = {child, ends[0]};
  }
  // Each is killed where it happens to be after some commits; the later ones go on over what the dead left.
  std::minstd_rand random(20'240'101);
  for (Child& child : children) {
    child.acknowledged = count_told(child.told, 5 + random() % 20);
    ASSERT_EQ(::kill(child.id, SIGKILL), 0);
  }
  std::set<std::string> acknowledged;
  std::size_t in_flight_max = 0;
  for (std::size_t i = 0; i < children.size(); ++i) {
    Child& child = children[i];
    int status = 0;
    ASSERT_EQ(::waitpid(child.id, &status, 0), child.id);
    EXPECT_TRUE(WIFSIGNALED(status)) << "a writer ended by itself";
    child.acknowledged += count_told(child.told, UINT32_MAX);
    ::close(child.told);
    for (std::uint32_t n = 0; n < child.acknowledged; ++n) {
      acknowledged.insert(sample_segment(n, Dialect::kV7, std::to_string(i)).path);
    }
    ++in_flight_max;
  }
  Log log(store, system_clock());
  auto state = log.load();
  ASSERT_TRUE(state) << state.error().message;
  for (const std::string& path : acknowledged) EXPECT_TRUE(state->segments.contains(path)) << path << " is lost";
  EXPECT_LE(state->segments.size(), acknowledged.size() + in_flight_max);
  EXPECT_EQ(state->version, state->segments.size() + 1);
  std::set<std::string> transactions;
  for (std::uint64_t version = 1; version <= state->version; ++version) {
    EXPECT_TRUE(transactions.insert(log.read(version)->extension->transaction_id).second);
  }
  ASSERT_TRUE(log.commit(*state, append_proposal(1, Dialect::kV7, "after")));
  ASSERT_TRUE(log.repair());
}

}  // namespace
}  // namespace marigram::log
