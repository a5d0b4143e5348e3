// Many processes on one table, some of them killed. Without this a commit could be lost, doubled or half done when
// writers race, and a killed writer could wedge the table for the others.
#include <marigram/batch.h>
#include <marigram/table.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace marigram {
namespace {

namespace fs = std::filesystem;

constexpr int kWriters = 8;

/// A row's identity: its series and its minute.
using RowId = std::pair<std::int64_t, std::int64_t>;

class ProcessesTest : public ::testing::Test {
 protected:
  // The parent opens no table before it forks: a forked child would lack the threads. So each test runs in a process of
  // its own, as ctest does it.
  void SetUp() override {
    folder_ = (fs::temp_directory_path() / ("marigram-processes-" + std::to_string(::getpid()))).string();
    fs::remove_all(folder_);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(create() ? 0 : 1);
    ASSERT_EQ(wait_for(child), 0);
  }
  void TearDown() override { fs::remove_all(folder_); }

  bool create() const {
    return Table::create(folder_, {.time_column = "ts",
                                   .unit = TimeUnit::kMicro,
                                   .tags = {{"writer", "int64"}},
                                   .fields = {{"value", "float64"}},
                                   .bucket = "1m"})
        .has_value();
  }

  static int wait_for(pid_t child) {
    int status = 0;
    if (::waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  static Result<AppendResult> append_row(Table& table, RowId id) {
    BatchBuilder rows({{"ts", "timestamp[us]", false}, {"writer", "int64", false}, {"value", "float64"}});
    rows.add({Instant{id.second * 60}, id.first, static_cast<double>(id.second)});
    return append(table, rows.finish().value());
  }

  /// All rows; fails the test if one is there twice or the table is not sound.
  std::set<RowId> rows_of_sound_table() {
    std::set<RowId> ids;
    const auto report = Table::verify(folder_);
    EXPECT_TRUE(report && report->problems.empty()) << (report ? report->problems.front() : report.error().message);
    auto stream = read(Table::open(folder_).value(), {.columns = {"ts", "writer"}}).value();
    while (auto batch = stream.next().value()) {
      for (std::size_t row = 0; row < batch->rows(); ++row) {
        const RowId id{batch->values<std::int64_t>(1)[row], batch->values<std::int64_t>(0)[row] / 60'000'000};
        EXPECT_TRUE(ids.insert(id).second) << "row " << id.first << "/" << id.second << " is there twice";
      }
    }
    return ids;
  }

  std::string folder_;
};

TEST_F(ProcessesTest, EveryAppendOfEightProcessesArrivesOnce) {
  constexpr int kAppends = 200;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto table = Table::open(folder_);
      if (!table) ::_exit(1);
      for (int i = 0; i < kAppends; ++i) {
        if (!append_row(*table, {writer, i})) ::_exit(2);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(rows_of_sound_table().size(), static_cast<std::size_t>(kWriters * kAppends));
  EXPECT_EQ(Table::open(folder_)->info().version, 1U + kWriters * kAppends);
}

/// A writing process and the pipe on which it tells what was acknowledged.
struct Writer {
  pid_t pid = 0;
  int pipe = -1;
};

class KillingTest : public ProcessesTest {
 protected:
  /// Appends minutes first, first + 1, ... of its series until it is done or killed; tells each that was acknowledged.
  Writer start(std::int64_t series, std::int64_t first_minute, int appends) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      auto table = Table::open(folder_);
      if (!table) ::_exit(1);
      for (int i = 0; i < appends; ++i) {
        const RowId id{series, first_minute + i};
        if (!append_row(*table, id)) ::_exit(2);
        if (::write(ends[1], &id, sizeof(id)) != sizeof(id)) ::_exit(3);
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    return {child, ends[0]};
  }

  void drain(int pipe) {
    RowId id;
    while (::read(pipe, &id, sizeof(id)) == sizeof(id)) acknowledged_.insert(id);
    ::close(pipe);
  }

  std::set<RowId> acknowledged_;
};

TEST_F(KillingTest, SurvivorsGoOnAndNothingAcknowledgedIsLost) {
  constexpr int kKills = 60;
  constexpr int kAppendsAtTheEnd = 5;
  const auto seed = static_cast<unsigned>(std::chrono::steady_clock::now().time_since_epoch().count());
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<Writer> writers;
  for (int i = 0; i < kWriters; ++i) writers.push_back(start(i, 0, 100'000));
  for (int kill = 0; kill < kKills; ++kill) {
    ::poll(nullptr, 0, 50);
    Writer& victim = writers[random() % writers.size()];
    ::kill(victim.pid, SIGKILL);
    EXPECT_EQ(wait_for(victim.pid), -SIGKILL) << "a writer ended by itself";
    drain(victim.pipe);
    // A killed writer's last row may or may not be there, so its successor takes a series of its own.
    victim = start(kWriters + kill, 0, 100'000);
  }
  for (Writer& writer : writers) {
    ::kill(writer.pid, SIGKILL);
    wait_for(writer.pid);
    drain(writer.pipe);
  }
  Writer last = start(-1, 0, kAppendsAtTheEnd);
  EXPECT_EQ(wait_for(last.pid), 0) << "the table does not take appends any more";
  drain(last.pipe);

  const std::set<RowId> rows = rows_of_sound_table();
  std::vector<RowId> lost;
  std::ranges::set_difference(acknowledged_, rows, std::back_inserter(lost));
  EXPECT_TRUE(lost.empty()) << lost.size() << " acknowledged rows are gone";
  EXPECT_GT(acknowledged_.size(), 50U) << "so little traffic proves nothing";
  // Beyond what was acknowledged there may be one row in flight a kill.
  EXPECT_LE(rows.size(), acknowledged_.size() + kKills + kWriters);
  RecordProperty("acknowledged", static_cast<int>(acknowledged_.size()));
}

}  // namespace
}  // namespace marigram
