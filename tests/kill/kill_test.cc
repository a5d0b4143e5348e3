// A process with four writers is killed at any moment, again and again: while it opens the database, replays its log,
// inserts, flushes or compacts. What it acknowledged is noted outside of it. Without this test an acknowledged row
// could be lost or come twice, a batch be there by half, or what was cut off once come back.
//
// MARIGRAM_KILL_CYCLES: how often (300); MARIGRAM_SEED: the seed (by the clock).
#include "child.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>
#include <csignal>

namespace marigram::kill {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::uint64_t kCycles = 300;
constexpr std::uint64_t kCyclesADatabase = 8;  // then a new one, before looking at it takes long
constexpr milliseconds kPatience{60'000};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

/// One database and the processes that use it.
class Victim {
 public:
  Victim(fs::path folder, std::uint64_t seed, std::string policy)
      : folder_(std::move(folder)), seed_(seed), policy_(std::move(policy)) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Victim() { fs::remove_all(folder_); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  std::vector<std::string> command(const std::string& what) const {
    return {KILL_PROGRAM, what, folder_ / "database", folder_ / "oracle", std::to_string(seed_), policy_};
  }
  /// Where the log begins: before its first files go, wal/START says from which position on it is to be read.
  std::uint64_t log_start() const {
    std::ifstream start(folder_ / "database" / "wal" / "START");
    std::uint64_t position = 0;
    start >> position;
    return position;
  }
  std::uint64_t acknowledged() const {
    std::ifstream oracle(folder_ / "oracle");
    std::uint64_t count = 0;
    for (std::string line; std::getline(oracle, line);) count += line.starts_with("ack") ? 1 : 0;
    return count;
  }

 private:
  fs::path folder_;
  std::uint64_t seed_;
  std::string policy_;
};

class KillTest : public ::testing::Test {
 protected:
  KillTest() { std::cout << "MARIGRAM_SEED=" << seed_ << std::endl; }

  std::uint64_t draw(std::uint64_t bound) { return random_() % bound; }
  fs::path folder() const { return fs::temp_directory_path() / ("marigram-kill-" + std::to_string(::getpid())); }

  /// Starts the program, and kills it soon after that, or after it says that it is about to open the database, has
  /// opened it, or has flushed for the first time.
  Ended strike(const std::vector<std::string>& command, const std::vector<std::string>& environment = {}) {
    Child child(command, environment);
    struct Moment {
      char mark;
      std::uint64_t ms_max;
    };
    constexpr std::array<Moment, 5> kMoments = {{{' ', 60}, {'.', 16}, {'!', 60}, {'/', 16}, {'/', 60}}};
    const Moment moment = kMoments.at(draw(kMoments.size()));
    if (moment.mark != ' ') child.await(moment.mark, kPatience);
    child.watch(milliseconds(draw(moment.ms_max)));
    child.kill();
    return child.end();
  }
  static Ended run(const std::vector<std::string>& command) { return Child(command, {}).end(); }

  const std::uint64_t seed_ = number_from(
      "MARIGRAM_SEED", static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
  std::mt19937_64 random_{seed_};
};

TEST_F(KillTest, NothingAcknowledgedIsLostAndNothingComesTwice) {
  const std::uint64_t cycles = number_from("MARIGRAM_KILL_CYCLES", kCycles);
  std::uint64_t acknowledged = 0;
  std::uint64_t killed_opening = 0;
  std::uint64_t replays = 0;
  std::uint64_t cuts = 0;
  for (std::uint64_t cycle = 0; cycle < cycles;) {
    const Victim victim(folder(), random_(), draw(3) == 0 ? "last" : "all");
    for (std::uint64_t i = 0; i < kCyclesADatabase && cycle < cycles; ++i, ++cycle) {
      SCOPED_TRACE("cycle " + std::to_string(cycle));
      const std::uint64_t log_start = victim.log_start();
      const Ended writer = strike(victim.command("write"));
      ASSERT_EQ(writer.status, -SIGKILL) << "it ended by itself: " << writer.err;
      killed_opening += writer.out.contains('!') ? 0 : 1;
      cuts += victim.log_start() > log_start ? 1 : 0;
      if (draw(4) == 0) strike(victim.command("look"));
      const Ended checker = run(victim.command(draw(2) == 0 ? "look" : "check"));
      ASSERT_EQ(checker.status, 0) << checker.err;
      replays += checker.out.contains("replayed 0 batches") ? 0 : 1;
    }
    acknowledged += victim.acknowledged();
  }
  std::cout << cycles << " kills, " << killed_opening << " of them before the database was open; " << replays
            << " replays; " << acknowledged << " batches acknowledged; the log was cut in " << cuts << " cycles\n";
  EXPECT_GT(acknowledged, 5 * cycles) << "so little traffic proves nothing";
  EXPECT_GT(replays, cycles / 4);
  EXPECT_GT(killed_opening, 0U);
  EXPECT_GT(cuts, cycles / 30) << "a log that is never cut is recycled by nobody";
}

TEST_F(KillTest, ALossThatIsPlantedIsNoticed) {
  for (int cycle = 0; cycle < 20; ++cycle) {
    const Victim victim(folder(), random_(), cycle % 2 == 0 ? "last" : "all");
    strike(victim.command("write"), {"MARIGRAM_KILL_PLANTED=1"});
    const Ended checker = run(victim.command("check"));
    if (checker.status == 0) continue;  // killed before it wrote, or just after a flush
    EXPECT_EQ(checker.status, 2) << checker.err;
    EXPECT_TRUE(checker.err.contains("got nothing")) << checker.err;
    return;
  }
  FAIL() << "batches that are in memory only were noted as acknowledged, and nobody missed them";
}

}  // namespace
}  // namespace marigram::kill
