// Many threads on one store, for every store. Without this test two writers could both win a commit number, a counter
// could lose a step, or a reader could see half of an object.
#include "base/manual_clock.h"
#include "io/object_store.h"
#include "io/test_stores.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <stdio.h>

namespace marigram::io {
namespace {

class ConcurrentStore : public ::testing::TestWithParam<StoreMaker> {
 protected:
  ConcurrentStore() : under_test_(GetParam().make(clock_)), store_(*under_test_.store) {}

  template <typename Body>
  static void in_threads(int count, Body body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
  }

  ManualClock clock_;
  StoreUnderTest under_test_;
  ObjectStore& store_;
};

TEST_P(ConcurrentStore, ExactlyOneWinsIfAbsent) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 100;
  std::barrier start(kThreads);
  std::vector<std::atomic<int>> winners(kRounds);
  std::vector<std::atomic<int>> wins(kRounds);
  in_threads(kThreads, [&](int me) {
    for (int round = 0; round < kRounds; ++round) {
      start.arrive_and_wait();
      const std::string bytes(5'000, static_cast<char>('a' + me));
      const auto put = store_.put("log/" + std::to_string(round), bytes, PutCondition::if_absent());
      if (put) {
        ++wins[static_cast<std::size_t>(round)];
        winners[static_cast<std::size_t>(round)] = me;
      } else {
        EXPECT_EQ(put.error().code, ErrorCode::kAlreadyExists) << put.error().message;
      }
    }
  });
  for (std::size_t round = 0; round < kRounds; ++round) {
    EXPECT_EQ(wins[round], 1);
    const auto read = store_.read("log/" + std::to_string(round)).value();
    EXPECT_EQ(read.bytes, std::string(5'000, static_cast<char>('a' + winners[round])));
  }
}

TEST_P(ConcurrentStore, IfMatchCountsWithoutLosingAStep) {
  constexpr int kThreads = 4;
  constexpr int kSteps = 500;
  ASSERT_TRUE(store_.put("counter", "0"));
  in_threads(kThreads, [&](int) {
    for (int step = 0; step < kSteps;) {
      const auto now = store_.read("counter");
      ASSERT_TRUE(now) << now.error().message;
      const std::string next = std::to_string(std::stoi(now->bytes) + 1);
      const auto put = store_.put("counter", next, PutCondition::if_match(now->info.version));
      if (put) {
        ++step;
      } else {
        ASSERT_EQ(put.error().code, ErrorCode::kConflict) << put.error().message;
      }
    }
  });
  EXPECT_EQ(store_.read("counter").value().bytes, std::to_string(kThreads * kSteps));
  EXPECT_EQ(store_.list("").value().size(), 1u);
}

TEST_P(ConcurrentStore, ReadersSeeWholeObjectsOnly) {
  constexpr int kReplacements = 2'000;
  const auto content = [](int i) {
    return std::to_string(i) + ":" +
           std::string(static_cast<std::size_t>(1 + (i * 37) % 9'000), static_cast<char>('a' + i % 26));
  };
  ASSERT_TRUE(store_.put("k", content(0)));
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;
  in_threads(3, [&](int me) {
    if (me == 0) {
      // Until enough has been read meanwhile, or a reader has given up.
      for (int i = 1; i <= kReplacements || (reads < 100 && !HasFailure()); ++i) {
        EXPECT_TRUE(store_.put("k", content(i)));
      }
      done = true;
      return;
    }
    int last = 0;
    while (!done) {
      const auto read = store_.read("k");
      ASSERT_TRUE(read) << read.error().message;
      const int i = std::stoi(read->bytes);
      ASSERT_GE(i, last);  // and never goes back
      last = i;
      ASSERT_EQ(read->bytes, content(i));
      ASSERT_EQ(read->info.size, read->bytes.size());
      const auto open = store_.open("k");
      ASSERT_TRUE(open);
      const auto mapping = (*open)->map();
      ASSERT_TRUE(mapping);
      const auto mapped = (*mapping)->bytes();
      const std::string copy(reinterpret_cast<const char*>(mapped.data()), mapped.size());
      ASSERT_EQ(copy, content(std::stoi(copy)));
      const auto listed = store_.list("");
      ASSERT_TRUE(listed);
      ASSERT_EQ(listed->size(), 1u);
      ++reads;
    }
  });
  EXPECT_GE(reads, 100);
}

TEST_P(ConcurrentStore, OneOpenObjectServesManyReaders) {
  std::string bytes(100'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + (i >> 8));
  ASSERT_TRUE(store_.put("k", bytes));
  const auto object = store_.open("k").value();
  in_threads(4, [&](int me) {
    std::string out(1'000, '?');
    for (std::size_t i = 0; i < 500; ++i) {
      const std::size_t offset = (i * 997 + static_cast<std::size_t>(me) * 13) % 99'000;
      ASSERT_TRUE(object->read_at(offset, std::as_writable_bytes(std::span(out))));
      ASSERT_EQ(out, bytes.substr(offset, 1'000));
    }
  });
}

TEST_P(ConcurrentStore, WritersOfDifferentKeysMakeTheirFoldersTogether) {
  in_threads(4, [&](int me) {
    for (int i = 0; i < 50; ++i) {
      const std::string key = "a/" + std::to_string(i) + "/b/" + std::to_string(me);
      ASSERT_TRUE(store_.put(key, key));
      ASSERT_TRUE(store_.list("a/" + std::to_string(i)));
    }
  });
  EXPECT_EQ(store_.list("").value().size(), 200u);
}

TEST_P(ConcurrentStore, RemovalHappensOnce) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store_.put("k/" + std::to_string(i), "x"));
  std::atomic<int> removed = 0;
  in_threads(3, [&](int) {
    for (int i = 0; i < 50; ++i) {
      const Status status = store_.remove("k/" + std::to_string(i));
      removed += status ? 1 : 0;
      EXPECT_TRUE(status || status.error().code == ErrorCode::kNotFound);
    }
  });
  EXPECT_EQ(removed, 50);
  EXPECT_TRUE(store_.list("").value().empty());
}

INSTANTIATE_TEST_SUITE_P(All, ConcurrentStore, all_stores(), name_of_store);

TEST(ConcurrentLocalStore, AFolderThatTurnsIntoALinkLeadsNobodyOutside) {
  const TemporaryFolder folder;
  const std::filesystem::path root = folder.path() / "root";
  const std::filesystem::path outside = folder.path() / "outside";
  std::filesystem::create_directories(root / "a");
  std::filesystem::create_directories(outside);
  std::filesystem::create_symlink("../outside", root / "b");
  const auto store = make_local_store(root).value();
  std::atomic<bool> done = false;
  std::thread swapper([&] {
    while (!done) ::renameat2(AT_FDCWD, (root / "a").c_str(), AT_FDCWD, (root / "b").c_str(), RENAME_EXCHANGE);
  });
  int refused = 0;
  // Until a put has met the link, however the threads are scheduled, or has been led astray.
  for (int i = 0; i < 1'000 || (refused == 0 && std::filesystem::is_empty(outside)); ++i) {
    const auto put = store->put("a/" + std::to_string(i % 10), "x");
    if (!put) {
      EXPECT_EQ(put.error().code, ErrorCode::kPermissionDenied) << put.error().message;
      ++refused;
    }
  }
  done = true;
  swapper.join();
  EXPECT_TRUE(std::filesystem::is_empty(outside));
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace marigram::io
