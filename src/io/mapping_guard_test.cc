// Mapped files that are cut short. Without these a reader could be ended by a signal because another process truncated
// a file, take what is gone for zeros, or swallow a signal that is not its own.
#include "io/mapping_guard.h"

#include "io/local_store.h"
#include "io/temporary_folder.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace marigram::io {
namespace {

constexpr std::size_t kPage = 4096;

class CutMapping : public ::testing::Test {
 protected:
  std::unique_ptr<Mapping> map(const std::string& content) {
    EXPECT_TRUE(store_->put("file", content, PutCondition::none()));
    return (*store_->open("file"))->map().value();
  }
  void cut(std::size_t size) { std::filesystem::resize_file(folder_.path() / "file", size); }

  TemporaryFolder folder_;
  std::shared_ptr<ObjectStore> store_ = make_local_store(folder_.path()).value();
};

char at(const Mapping& mapping, std::size_t position) {
  return static_cast<char>(mapping.bytes()[position]);
}

TEST_F(CutMapping, ReadsZerosAndKnows) {
  const auto mapping = map(std::string(5 * kPage + 100, 'x'));
  EXPECT_EQ(at(*mapping, 5 * kPage), 'x');
  EXPECT_TRUE(mapping->is_whole());
  cut(2 * kPage + 10);
  EXPECT_EQ(at(*mapping, kPage), 'x');
  EXPECT_EQ(at(*mapping, 3 * kPage), 0);
  EXPECT_EQ(at(*mapping, 4 * kPage + 7), 0);
  EXPECT_FALSE(mapping->is_whole());
}

TEST_F(CutMapping, KnowsWithoutAReadOfWhatIsGone) {
  for (const std::size_t size : {5 * kPage + 99, 5 * kPage, 4 * kPage, std::size_t{0}}) {
    const auto mapping = map(std::string(5 * kPage + 100, 'x'));
    EXPECT_TRUE(mapping->is_whole());
    cut(size);
    EXPECT_FALSE(mapping->is_whole()) << size;
  }
}

TEST_F(CutMapping, OthersAreWhole) {
  const auto first = map(std::string(3 * kPage, 'x'));
  ASSERT_TRUE(store_->put("other", std::string(3 * kPage, 'y'), PutCondition::none()));
  const auto other = (*store_->open("other"))->map().value();
  cut(0);
  EXPECT_EQ(at(*first, 0), 0);
  EXPECT_FALSE(first->is_whole());
  EXPECT_EQ(at(*other, 2 * kPage), 'y');
  EXPECT_TRUE(other->is_whole());
}

TEST_F(CutMapping, ThreadsReadOnWhileItIsCut) {
  const std::size_t pages = 200;
  const auto mapping = map(std::string(pages * kPage, 'x'));
  std::atomic<bool> go = false;
  std::vector<std::thread> readers;
  std::atomic<int> odd = 0;
  for (int reader = 0; reader < 4; ++reader) {
    readers.emplace_back([&] {
      while (!go.load()) std::this_thread::yield();
      for (std::size_t page = pages; page-- > 0;) {
        const char byte = at(*mapping, page * kPage);
        if (byte != 'x' && byte != 0) ++odd;
      }
    });
  }
  go = true;
  cut(10 * kPage);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(odd, 0);
  EXPECT_FALSE(mapping->is_whole());
}

/// A page of a file that nobody guards.
void touch_what_is_gone(const std::filesystem::path& path) {
  FILE* const file = std::fopen(path.c_str(), "w+");
  const void* const page = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, ::fileno(file), 0);
  static_cast<void>(*static_cast<const volatile char*>(page));
}

using CutMappingDeathTest = CutMapping;

TEST_F(CutMappingDeathTest, FaultsOfOthersEndTheProcessAsBefore) {
  const auto child = [&] {
    std::signal(SIGBUS, SIG_DFL);
    const auto mapping = map("x");
    touch_what_is_gone(folder_.path() / "mine");
  };
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";  // so that the handler there is not ours yet
  EXPECT_EXIT(child(), ::testing::KilledBySignal(SIGBUS), "");
}

TEST_F(CutMappingDeathTest, FaultsOfOthersReachTheirHandler) {
  const auto child = [&] {
    std::signal(SIGBUS, [](int) { std::_Exit(42); });
    const auto mapping = map("x");
    touch_what_is_gone(folder_.path() / "mine");
  };
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace marigram::io
