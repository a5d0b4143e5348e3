// Many writers on one table, threads of one process and several handles. Without this an append could be lost, doubled
// or half visible under contention.
#include "table/append.h"
#include "table/evolve.h"
#include "table/rewrite.h"
#include "table/test_rows.h"
#include "table/verify.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

namespace marigram::table::testing {
namespace {

constexpr int kWriters = 4;
constexpr int kAppends = 15;

TEST(EngineConcurrentTest, AppendsOfManyHandlesAllArrive) {
  Fixture fixture;
  fixture.create();
  std::atomic<bool> writing = true;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      const auto engine = *Engine::open(fixture.environment(), {});
      for (int i = 0; i < kAppends; ++i) {
        const auto appended = append_rows(*engine, minutes(fmt::format("s{}", writer), i * 10, 3));
        ASSERT_TRUE(appended) << appended.error().message;
      }
    });
  }
  std::thread reader([&] {
    const auto engine = *Engine::open(fixture.environment(), {});
    std::size_t seen = 0;
    while (writing) {
      ASSERT_TRUE(engine->refresh());
      const auto rows = scan_rows(*engine);
      ASSERT_TRUE(rows) << rows.error().message;
      EXPECT_EQ(rows->size() % 3, 0U) << "half an append is visible";
      EXPECT_GE(rows->size(), seen);
      seen = rows->size();
    }
  });
  for (auto& thread : threads) thread.join();
  writing = false;
  reader.join();
  const auto engine = *Engine::open(fixture.environment(), {});
  EXPECT_EQ(engine->state()->version, 1U + kWriters * kAppends);
  EXPECT_EQ(scan_rows(*engine)->size(), 3U * kWriters * kAppends);
}

TEST(EngineConcurrentTest, TagsComeWhileOthersAppendAndRead) {
  Fixture fixture;
  const auto engine = fixture.create(Fixture::growing_options());
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      const auto own = *Engine::open(fixture.environment(), {});
      for (int i = 0; i < kAppends; ++i) {
        const auto appended = append_rows(*own, minutes(fmt::format("s{}", writer), i * 10, 2));
        ASSERT_TRUE(appended) << appended.error().message;
        const auto rows = scan_rows(*own);
        ASSERT_TRUE(rows) << rows.error().message;
      }
    });
  }
  std::atomic<bool> writing = true;
  std::thread compactor([&] {
    const auto own = *Engine::open(fixture.environment(), {});
    while (writing) {
      const auto report = compact(*own);
      ASSERT_TRUE(report) << report.error().message;
    }
  });
  for (int i = 0; i < kAppends; ++i) {
    const auto added = add_tags(*engine, std::vector<std::string>{fmt::format("tag{}", i)});
    ASSERT_TRUE(added) << added.error().message;
  }
  for (auto& thread : threads) thread.join();
  writing = false;
  compactor.join();
  ASSERT_TRUE(engine->refresh());
  EXPECT_EQ(scan_rows(*engine)->size(), 2U * kWriters * kAppends);
  EXPECT_EQ(engine->coverage(*engine->state()).value()->size(), static_cast<std::size_t>(kWriters));
  EXPECT_TRUE(verify(fixture.environment(), false)->problems.empty());
}

TEST(EngineConcurrentTest, OneHandleServesManyThreads) {
  Fixture fixture;
  const auto engine = fixture.create();
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < kAppends; ++i) {
        ASSERT_TRUE(append_rows(*engine, minutes(fmt::format("s{}", writer), i * 10, 2)));
        ASSERT_TRUE(scan_rows(*engine));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(scan_rows(*engine)->size(), 2U * kWriters * kAppends);
}

TEST(EngineConcurrentTest, OfOverlappingAppendsOneWins) {
  Fixture fixture;
  fixture.create();
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&] {
      const auto engine = *Engine::open(fixture.environment(), {});
      for (int i = 0; i < kAppends; ++i) {
        const auto appended = append_rows(*engine, minutes("same", i * 10, 3));
        if (appended) {
          ++won;
        } else {
          EXPECT_EQ(appended.error().code, ErrorCode::kOverlap) << appended.error().message;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, kAppends);
  const auto engine = *Engine::open(fixture.environment(), {});
  EXPECT_EQ(scan_rows(*engine)->size(), 3U * kAppends);
}

}  // namespace
}  // namespace marigram::table::testing
