// UUIDs name the temporary files of many threads at once. Without this test a shared buffer could hand out one twice.
#include "base/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace marigram {
namespace {

TEST(ConcurrentRandomUuid, ThreadsNeverShareOne) {
  std::array<std::vector<std::string>, 4> made;
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 2'000; ++i) mine.push_back(random_uuid());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 8'000u);
}

}  // namespace
}  // namespace marigram
