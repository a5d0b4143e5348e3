// The proof of durability of the local store: its own code over a disk that fails or loses power at each of its steps
// in turn. Without this test a missing sync, an un-synced folder, a torn object or an error taken for success goes
// unseen until a power cut takes somebody's data. Syncs that do nothing are planted to show that the test can fail.
#include "io/fault_store.h"

#include "base/manual_clock.h"
#include "io/file_store.h"
#include "io/simulated_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace marigram::io {
namespace {

using Mode = FaultStore::Mode;
using Bytes = std::optional<std::string>;  // nothing: no such object

constexpr std::uint64_t kSeeds = 20;
constexpr Instant kEndOfTime{std::numeric_limits<std::int64_t>::max(), 0};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// What a client may find under each key, from what it was told.
class Ledger {
 public:
  /// The answer to a put or remove that should lead to `bytes`.
  void note(const std::string& key, const Bytes& bytes, bool acknowledged) {
    std::set<Bytes>& possible = possible_.try_emplace(key, std::set<Bytes>{std::nullopt}).first->second;
    if (acknowledged) possible.clear();
    possible.insert(bytes);
  }

  /// One line per key that holds what it cannot hold, and per key of the store that nobody wrote.
  std::vector<std::string> violations(const ObjectStore& store) const {
    std::vector<std::string> lines;
    for (const auto& [key, possible] : possible_) {
      const auto read = store.read(key);
      if (!read && read.error().code != ErrorCode::kNotFound) lines.push_back(key + ": " + read.error().message);
      const Bytes found = read ? Bytes(read->bytes) : std::nullopt;
      if (!possible.contains(found)) lines.push_back(key + ": lost or torn");
    }
    const auto listed = store.list("");
    if (!listed) lines.push_back(listed.error().message);
    for (const ObjectInfo& info : listed.value_or(std::vector<ObjectInfo>())) {
      if (!possible_.contains(info.key)) lines.push_back(info.key + ": nobody put it");
    }
    return lines;
  }

  /// From now on the store's content is what is known.
  void settle(const ObjectStore& store) {
    for (auto& [key, possible] : possible_) {
      const auto read = store.read(key);
      possible = {read ? Bytes(read->bytes) : std::nullopt};
    }
  }

 private:
  std::map<std::string, std::set<Bytes>> possible_;
};

/// A client's day: every kind of call, folders old and new. Goes on after errors. `round` makes contents differ.
class Workload {
 public:
  Workload(ObjectStore& store, Ledger& ledger, const std::string& round)
      : store_(store), ledger_(ledger), round_(round) {}

  void run() {
    put("_log/1", "commit one", PutCondition::if_absent());
    put("CURRENT", "1", PutCondition::none());
    pieces("data/x/segment", std::string(40'000, 's'), PutCondition::none());
    put("_log/2", "commit two", PutCondition::if_absent());
    put("_log/2", "another commit two", PutCondition::if_absent());
    move_current("2");
    put("data/y/deep/er", std::string(3'000, 'd'), PutCondition::none());
    remove("data/x/segment");
    pieces("data/x/other", std::string(1'000, 'o'), PutCondition::if_absent());
    move_current("3");
    remove("_log/1");
    put("data/x/other", "replaced", PutCondition::none());
    static_cast<void>(store_.sweep_unfinished(kEndOfTime, false));
  }

 private:
  void put(const std::string& key, const std::string& content, const PutCondition& condition) {
    const std::string bytes = content + round_;
    const auto answer = store_.put(key, bytes, condition);
    note(key, bytes, answer ? Status() : Status(std::unexpected(answer.error())));
  }

  void pieces(const std::string& key, const std::string& content, const PutCondition& condition) {
    const std::string bytes = content + round_;
    auto object = store_.create(key, condition);
    if (!object) return note(key, bytes, std::unexpected(object.error()));
    Status status;
    for (std::size_t done = 0; done < bytes.size() && status; done += 7'000) {
      status = (*object)->write(bytes_of(bytes).subspan(done, std::min<std::size_t>(7'000, bytes.size() - done)));
    }
    note(key, bytes, status ? (*object)->finish() : status);
  }

  void move_current(const std::string& to) {
    const auto head = store_.head("CURRENT");
    if (head) put("CURRENT", to, PutCondition::if_match(head->version));
  }

  void remove(const std::string& key) {
    const Status answer = store_.remove(key);
    if (answer || answer.error().code != ErrorCode::kNotFound) ledger_.note(key, std::nullopt, answer.has_value());
  }

  void note(const std::string& key, const std::string& bytes, const Status& answer) {
    const bool refused =
        !answer && (answer.error().code == ErrorCode::kAlreadyExists || answer.error().code == ErrorCode::kConflict);
    if (!refused) ledger_.note(key, bytes, answer.has_value());
  }

  ObjectStore& store_;
  Ledger& ledger_;
  std::string round_;
};

class FaultStoreTest : public ::testing::Test {
 protected:
  /// Steps of the workload without a fault.
  std::uint64_t steps() {
    const auto store = make_fault_store(clock_);
    Ledger ledger;
    Workload(*store, ledger, "").run();
    EXPECT_EQ(ledger.violations(*store), std::vector<std::string>());
    return store->points();
  }

  /// Runs the workload on a new store with a fault at each of its steps; `check` then gets store and ledger and returns
  /// how many violations it saw.
  int count(
      Mode mode, const std::function<int(FaultStore&, Ledger&)>& check,
      const std::function<void(FaultStore&)>& prepare = [](FaultStore&) {}) {
    int violations = 0;
    const std::uint64_t last = steps();
    EXPECT_GT(last, 60u);
    for (std::uint64_t point = 0; point < last; ++point) {
      for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const auto store = make_fault_store(clock_);
        prepare(*store);
        store->arm(mode, point, point * 1'000 + seed);
        Ledger ledger;
        Workload(*store, ledger, "").run();
        EXPECT_TRUE(store->fired()) << point;
        violations += check(*store, ledger);
      }
    }
    return violations;
  }

  ManualClock clock_;
};

int reported(const std::vector<std::string>& violations) {
  for (const std::string& line : violations) ADD_FAILURE() << line;
  return static_cast<int>(violations.size());
}

TEST_F(FaultStoreTest, APowerCutAtAnyStepLosesNothingAcknowledged) {
  count(Mode::kPowerCut, [&](FaultStore& store, Ledger& ledger) {
    const auto found = store.restart();
    const int lost = reported(ledger.violations(*found));
    // And life goes on: leftovers go, and a second day comes to its end.
    EXPECT_TRUE(found->sweep_unfinished(kEndOfTime, false));
    EXPECT_EQ(found->sweep_unfinished(kEndOfTime, true).value().size(), 0u);
    ledger.settle(*found);
    Workload(*found, ledger, "again").run();
    return lost + reported(ledger.violations(*found->restart()));
  });
}

TEST_F(FaultStoreTest, APowerCutDuringRecoveryLosesNothingEither) {
  count(Mode::kPowerCut, [&](FaultStore& store, Ledger& ledger) {
    const auto found = store.restart();
    found->arm(Mode::kPowerCut, store.points() % 17, store.points());
    Workload(*found, ledger, "again").run();
    return reported(ledger.violations(*found->restart()));
  });
}

TEST_F(FaultStoreTest, AFailedStepIsReportedAndWhatWasAcknowledgedStays) {
  for (const Mode mode : {Mode::kFailOnce, Mode::kFailSticky}) {
    count(mode, [&](FaultStore& store, Ledger& ledger) {
      const int wrong = reported(ledger.violations(store));  // as the machine sees it
      return wrong + reported(ledger.violations(*store.restart()));
    });
  }
}

TEST_F(FaultStoreTest, LackOfSpaceIsReportedAndTheStoreGoesOn) {
  count(Mode::kNoSpaceOnce, [&](FaultStore& store, Ledger& ledger) {
    int wrong = reported(ledger.violations(store));
    const auto put = store.put("CURRENT", "enough space again");
    EXPECT_TRUE(put) << put.error().message;
    ledger.note("CURRENT", "enough space again", put.has_value());
    return wrong + reported(ledger.violations(*store.restart()));
  });
}

TEST_F(FaultStoreTest, ADeadWritersWorkIsNotTakenForLasting) {
  // The process dies at some step, with the power on; another takes over, is told that all is well, and then the power
  // goes. The folders that the first had made but not synced must not take the second one's objects with them.
  count(Mode::kKill, [&](FaultStore& store, Ledger& ledger) {
    const auto next = store.reopen();
    const int wrong = reported(ledger.violations(*next));  // the death of a process alone loses nothing
    ledger.settle(*next);
    Workload(*next, ledger, "again").run();
    return wrong + reported(ledger.violations(*next->restart()));
  });
}

TEST_F(FaultStoreTest, PlantedDefectsAreNoticed) {
  const auto check = [](FaultStore& store, Ledger& ledger) {
    return ledger.violations(*store.restart()).empty() ? 0 : 1;
  };
  const int without_file_sync = count(Mode::kPowerCut, check, [](FaultStore& store) { store.skip_file_sync(true); });
  const int without_folder_sync =
      count(Mode::kPowerCut, check, [](FaultStore& store) { store.skip_folder_sync(true); });
  EXPECT_GT(without_file_sync, 300);
  EXPECT_GT(without_folder_sync, 300);
  EXPECT_EQ(count(Mode::kPowerCut, check), 0);
}

TEST_F(FaultStoreTest, FailedPutsLeaveNoLitterWhenTheDiskLetsThem) {
  count(Mode::kNoSpaceOnce, [&](FaultStore& store, Ledger&) {
    // The one step that failed may have been the removal of the temporary file itself, which the workload's own sweep
    // at its end has then found.
    store.disarm();
    EXPECT_TRUE(store.put("one more", ""));
    const auto left = store.sweep_unfinished(kEndOfTime, true).value();
    EXPECT_LE(left.size(), 0u);
    return 0;
  });
}

TEST_F(FaultStoreTest, AlreadyExistsIsSaidOnlyOfNamesThatLast) {
  // The first put fails after its rename: its folder could not be synced for lack of space. The writer asks again.
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto store = make_fault_store(clock_);
    ASSERT_TRUE(store->put("log/1", "1"));
    const std::uint64_t before = store->points();
    ASSERT_TRUE(store->put("log/2", "2", PutCondition::if_absent()));
    const std::uint64_t steps_of_put = store->points() - before;
    store->arm(Mode::kNoSpaceOnce, steps_of_put - 1, seed);
    const auto first = store->put("log/3", "3", PutCondition::if_absent());
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, ErrorCode::kResourceExhausted);
    const auto second = store->put("log/3", "3", PutCondition::if_absent());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(store->restart()->read("log/3").value().bytes, "3");
  }
}

TEST_F(FaultStoreTest, AfterAFailedSyncNothingIsAcknowledgedAnyMore) {
  const auto probe = make_fault_store(clock_);
  ASSERT_TRUE(probe->put("a/1", "1"));
  const std::uint64_t first = probe->points();
  ASSERT_TRUE(probe->put("a/2", "2"));
  const std::uint64_t steps_of_put = probe->points() - first;

  int refused = 0;
  for (std::uint64_t point = 0; point < steps_of_put; ++point) {
    const auto store = make_fault_store(clock_);
    ASSERT_TRUE(store->put("a/1", "1"));
    store->arm(Mode::kFailOnce, point, point);
    EXPECT_FALSE(store->put("a/2", "2"));
    const auto next = store->put("a/3", "3");
    EXPECT_EQ(store->read("a/1").value().bytes, "1");  // reads go on
    if (next) continue;
    ++refused;
    EXPECT_EQ(next.error().code, ErrorCode::kIo);
    EXPECT_THAT(next.error().message, ::testing::HasSubstr("earlier sync"));
    EXPECT_EQ(store->remove("a/1").error().code, ErrorCode::kIo);
    EXPECT_EQ(store->create("a/4").error().code, ErrorCode::kIo);
    EXPECT_EQ(store->check_writable().error().code, ErrorCode::kIo);
    EXPECT_EQ(store->sweep_unfinished(kEndOfTime, false).error().code, ErrorCode::kIo);
    EXPECT_TRUE(store->reopen()->put("a/3", "3"));
  }
  EXPECT_EQ(refused, 2);  // the sync of the file, and that of the folder
}

TEST_F(FaultStoreTest, AfterAPowerCutAllIsDarkUntilRestart) {
  const auto store = make_fault_store(clock_);
  ASSERT_TRUE(store->put("a", "1"));
  const auto object = store->open("a").value();
  store->arm(Mode::kPowerCut, 0, 1);
  EXPECT_EQ(store->put("b", "2").error().code, ErrorCode::kIo);
  EXPECT_TRUE(store->fired());
  std::string out(1, '?');
  EXPECT_EQ(object->read_at(0, std::as_writable_bytes(std::span(out))).error().code, ErrorCode::kIo);
  EXPECT_EQ(store->read("a").error().code, ErrorCode::kIo);
  EXPECT_EQ(store->list("").error().code, ErrorCode::kIo);
  EXPECT_EQ(store->reopen()->read("a").error().code, ErrorCode::kIo);
  const auto found = store->restart();
  EXPECT_EQ(found->read("a").value().bytes, "1");
  EXPECT_EQ(found->points(), 0u);
  EXPECT_EQ(store->read("a").error().code, ErrorCode::kIo);  // the old one stays dark
}

/// The same proof where names are made by link and unlink, because renames cannot refuse to replace.
TEST_F(FaultStoreTest, LinkAndUnlinkLoseNothingEither) {
  for (std::uint64_t point = 0; point < 12; ++point) {
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const auto disk = SimulatedFileSystem::make(clock_);
      disk->support_rename_new(false);
      Ledger ledger;
      auto store = make_file_store(disk, "/volume/store");
      disk->arm(Mode::kPowerCut, point, seed);
      const auto put = store->put("log/1", std::string(2'000, 'x'), PutCondition::if_absent());
      ledger.note("log/1", std::string(2'000, 'x'), put.has_value());
      const auto found = make_file_store(disk->restart(), "/volume/store");
      EXPECT_EQ(ledger.violations(*found), std::vector<std::string>()) << point << " " << seed;
      EXPECT_TRUE(found->sweep_unfinished(kEndOfTime, false));
      EXPECT_EQ(ledger.violations(*found), std::vector<std::string>()) << point << " " << seed;
    }
  }
}

}  // namespace
}  // namespace marigram::io
