// The log over a disk that fails or loses power at each of its steps in turn, while it is opened, appended to, rolled
// over, truncated and recovered. Without this test an acknowledged batch could be lost, doubled or torn, or a log could
// fail to open after an honest crash. A sync that does nothing is planted to show that the test can fail.
#include "base/manual_clock.h"
#include "io/fault_store.h"
#include "wal/test_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace marigram::wal {
namespace {

using Mode = io::FaultStore::Mode;
using Disk = std::shared_ptr<io::SimulatedFileSystem>;

/// What the owner of a log knows.
class Ledger {
 public:
  struct Attempt {
    std::string payload;
    bool accepted = false;  // append succeeded
    bool durable = false;   // and the batch is on stable storage
    Lsn lsn = 0;            // if accepted
  };

  void note(std::string payload, const Result<Lsn>& answer, Durability durability) {
    attempts_.push_back({.payload = std::move(payload),
                         .accepted = answer.has_value(),
                         .durable = answer.has_value() && durability == Durability::kSync,
                         .lsn = answer.value_or(0)});
    if (attempts_.back().durable) note_durable();
  }
  /// All that was accepted lasts.
  void note_durable() {
    for (Attempt& attempt : attempts_) attempt.durable |= attempt.accepted;
  }
  /// What lies before `lsn` is contained elsewhere.
  void contain(Lsn lsn) {
    start_ = lsn;
    std::erase_if(attempts_, [lsn](const Attempt& attempt) { return attempt.accepted && attempt.lsn < lsn; });
  }
  Lsn start() const { return start_; }

  /// What is wrong with a replay; empty: nothing.
  std::string judge(const std::vector<Entry>& entries) const {
    auto attempt = attempts_.begin();
    for (const Entry& entry : entries) {
      // What was refused need not be there, but what was accepted must, as long as something behind it is.
      while (attempt != attempts_.end() && !attempt->accepted && attempt->payload != entry.payload) ++attempt;
      if (attempt == attempts_.end())
        return "'" + entry.payload.substr(0, 20) + "' is there and was not appended, or twice";
      if (attempt->payload != entry.payload)
        return "'" + attempt->payload.substr(0, 20) + "' is missing, or out of order";
      if (attempt->accepted && attempt->lsn != entry.lsn)
        return "'" + entry.payload.substr(0, 20) + "' has another LSN";
      ++attempt;
    }
    for (; attempt != attempts_.end(); ++attempt) {
      if (attempt->durable) return "'" + attempt->payload.substr(0, 20) + "' is lost";
    }
    return "";
  }
  /// From now on what was replayed is what is known, and it lasts.
  void settle(const std::vector<Entry>& entries) {
    attempts_.clear();
    for (const Entry& entry : entries) {
      attempts_.push_back({.payload = entry.payload, .accepted = true, .durable = true, .lsn = entry.lsn});
    }
  }

 private:
  std::vector<Attempt> attempts_;
  Lsn start_ = 0;
};

constexpr std::uint64_t kFileBytes = 2'048;

/// An owner's day over one open log: batches of all sizes, both durabilities, syncs, truncations, a clean close and an
/// unclean one. Goes on after errors, and opens the log anew when it has failed for good. `round` makes payloads
/// differ.
class Workload {
 public:
  Workload(const Disk& disk, Ledger& ledger, std::string round)
      : disk_(disk), ledger_(ledger), round_(std::move(round)) {}

  void run() {
    open();
    for (int i = 0; i < 4; ++i) append(100, Durability::kSync);
    for (int i = 0; i < 6; ++i) append(30 + 97 * i, Durability::kBuffered);
    append(kFileBytes - 200, Durability::kSync);
    sync();
    for (int i = 0; i < 12; ++i) append(700, Durability::kBuffered);  // several files that were never synced
    contain();
    append(0, Durability::kSync);
    for (int i = 0; i < 5; ++i) append(900, i % 2 == 0 ? Durability::kSync : Durability::kBuffered);
    if (log_) [[maybe_unused]]
      const Status closed = log_->close();
    log_.reset();
    open();
    for (int i = 0; i < 4; ++i) append(500, Durability::kBuffered);
    contain();
    append(1'000, Durability::kSync);
    append(200, Durability::kBuffered);
    if (log_) [[maybe_unused]]
      const Status written = log_->write_out();
    append(300, Durability::kBuffered);
  }

 private:
  void open() {
    std::vector<Entry> entries;
    auto opened = Wal::open(*disk_, kLogPath, small_files(kFileBytes, ledger_.start()), collect_into(entries));
    if (!opened) return;
    const std::string wrong = ledger_.judge(entries);
    EXPECT_EQ(wrong, "") << "opened anew";
    ledger_.settle(entries);
    log_ = std::move(opened->wal);
  }

  void append(std::size_t size, Durability durability) {
    if (!log_) return open();
    const std::string payload = round_ + std::to_string(count_++) + ":" + std::string(size, '.');
    const auto answer = log_->append(bytes_of(payload), durability);
    ledger_.note(payload, answer, durability);
    if (!answer) refused(answer.error());
  }

  void sync() {
    if (!log_) return;
    const Status answer = log_->sync();
    if (answer) return ledger_.note_durable();
    refused(answer.error());
  }

  /// As after a flush: some of the batches are in segments now.
  void contain() {
    if (!log_) return;
    const Lsn lsn = log_->position();
    ledger_.contain(lsn);
    append(10, Durability::kBuffered);
    if (!log_) return;
    const Status answer = log_->truncate(lsn);
    if (!answer) refused(answer.error());
  }

  void refused(const Error& error) {
    EXPECT_TRUE(error.code == ErrorCode::kIo || error.code == ErrorCode::kResourceExhausted) << error.message;
    if (error.code == ErrorCode::kIo) log_.reset();
  }

  Disk disk_;
  Ledger& ledger_;
  std::string round_;
  std::unique_ptr<Wal> log_;
  int count_ = 0;
};

class LogUnderFaults : public ::testing::Test {
 protected:
  std::uint64_t steps() {
    const auto disk = disk_with({}, clock_);
    const std::uint64_t before = disk->points();
    Ledger ledger;
    Workload(disk, ledger, "").run();
    const std::uint64_t taken = disk->points() - before;
    EXPECT_EQ(look(disk, ledger), "");
    return taken;
  }

  /// Opens the log, and says what is wrong with it.
  std::string look(const Disk& disk, Ledger& ledger) {
    auto log = open_log(*disk, small_files(kFileBytes, ledger.start()));
    if (!log) return "cannot open: " + log.error().message;
    std::string wrong = ledger.judge(log->entries);
    if (!wrong.empty()) return wrong;
    ledger.settle(log->entries);
    auto again = open_log(*disk, small_files(kFileBytes, ledger.start()));
    if (!again) return "cannot open again: " + again.error().message;
    if (again->entries != log->entries) return "a second replay differs";
    if (again->recovery.cut_bytes != 0) return "what was cut has come back";
    return "";
  }

  /// The same, and then appends, loses power and looks again.
  std::string look_and_go_on(const Disk& disk, Ledger& ledger) {
    if (std::string wrong = look(disk, ledger); !wrong.empty()) return wrong;
    {
      auto log = open_log(*disk, small_files(kFileBytes, ledger.start()));
      if (!log) return "cannot go on: " + log.error().message;
      for (int i = 0; i < 4; ++i) {
        const std::string payload = "more" + std::to_string(i) + std::string(600, '+');
        const auto answer = log->wal->append(bytes_of(payload), Durability::kSync);
        if (!answer) return "cannot append: " + answer.error().message;
        ledger.note(payload, answer, Durability::kSync);
      }
    }
    return look(disk->restart(), ledger);
  }

  /// Runs the workload with a fault at each of its steps; returns how often `check` found something wrong.
  int count(
      Mode mode, std::uint64_t seeds, const std::function<std::string(const Disk&, Ledger&)>& check, bool report,
      const std::function<void(const Disk&)>& prepare = [](const Disk&) {}) {
    int violations = 0;
    const std::uint64_t last = steps();
    EXPECT_GT(last, 60u);
    for (std::uint64_t point = 0; point < last; ++point) {
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        const auto disk = disk_with({}, clock_);
        prepare(disk);
        disk->arm(mode, point, point * 1'000 + seed);
        Ledger ledger;
        Workload(disk, ledger, "").run();
        EXPECT_TRUE(disk->fired()) << point;
        const std::string wrong = check(disk, ledger);
        violations += wrong.empty() ? 0 : 1;
        if (report) {
          EXPECT_EQ(wrong, "") << "step " << point << " seed " << seed;
        }
        if (report && HasFailure()) return violations;
      }
    }
    return violations;
  }

  ManualClock clock_;
};

TEST_F(LogUnderFaults, APowerCutAtAnyStepLosesNothingAcknowledged) {
  count(
      Mode::kPowerCut, 40, [&](const Disk& disk, Ledger& ledger) { return look_and_go_on(disk->restart(), ledger); },
      true);
}

TEST_F(LogUnderFaults, APowerCutDuringRecoveryLosesNothingEither) {
  std::mt19937_64 random(1);
  count(
      Mode::kPowerCut, 60,
      [&](const Disk& disk, Ledger& ledger) {
        Disk found = disk->restart();
        for (int i = 0; i < 4; ++i) {  // several crashes one after the other
          found->arm(Mode::kPowerCut, random() % 14, random());
          [[maybe_unused]] const auto log = open_log(*found, small_files(kFileBytes, ledger.start()));
          found = found->restart();
        }
        return look_and_go_on(found, ledger);
      },
      true);
}

TEST_F(LogUnderFaults, AFailedStepIsReportedAndWhatWasAcknowledgedStays) {
  for (const Mode mode : {Mode::kFailOnce, Mode::kFailSticky}) {
    count(
        mode, 20,
        [&](const Disk& disk, Ledger& ledger) {
          disk->disarm();
          return look_and_go_on(disk, ledger);
        },
        true);
  }
}

TEST_F(LogUnderFaults, AFailureAndThenAPowerCutLoseNothingEither) {
  // After a failed sync the machine still sees what the disk never got.
  count(
      Mode::kFailOnce, 30, [&](const Disk& disk, Ledger& ledger) { return look_and_go_on(disk->restart(), ledger); },
      true);
}

TEST_F(LogUnderFaults, LackOfSpaceLosesNothing) {
  count(
      Mode::kNoSpaceOnce, 10,
      [&](const Disk& disk, Ledger& ledger) {
        if (std::string wrong = look(disk, ledger); !wrong.empty()) return wrong;
        return look_and_go_on(disk->restart(), ledger);
      },
      true);
}

TEST_F(LogUnderFaults, ADeadProcessLosesWhatWasQueuedOnly) {
  count(
      Mode::kKill, 3,
      [&](const Disk& disk, Ledger& ledger) {
        disk->disarm();
        return look_and_go_on(disk, ledger);
      },
      true);
}

TEST_F(LogUnderFaults, PlantedDefectsAreNoticed) {
  const auto check = [&](const Disk& disk, Ledger& ledger) { return look(disk->restart(), ledger); };
  EXPECT_GT(count(Mode::kPowerCut, 10, check, false, [](const Disk& disk) { disk->skip_file_sync(true); }), 100);
  EXPECT_GT(count(Mode::kPowerCut, 10, check, false, [](const Disk& disk) { disk->skip_folder_sync(true); }), 100);
  EXPECT_EQ(count(Mode::kPowerCut, 10, check, false), 0);
}

}  // namespace
}  // namespace marigram::wal
