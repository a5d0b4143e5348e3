// Second keys of objects, over every store. Without this test a backup that shares files with the one before it could
// be damaged by deleting that, or lose what it shares when the power goes.
#include "io/link_object.h"

#include "base/manual_clock.h"
#include "io/object_key.h"
#include "io/simulated_file_system.h"
#include "io/test_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace marigram::io {
namespace {

using ::testing::HasSubstr;

class LinkObject : public ::testing::TestWithParam<StoreMaker> {
 protected:
  LinkObject() : under_test_(GetParam().make(clock_)), store_(*under_test_.store) {}

  Result<bool> link(std::string_view from, std::string_view to) {
    const auto object = store_.open(from);
    if (!object) return std::unexpected(object.error());
    return link_object(store_, to, **object);
  }
  std::string content(std::string_view key) const {
    const auto object = store_.read(key);
    return object ? object->bytes : std::string("error ") + error_code_name(object.error().code);
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    const auto listed = store_.list("").value();
    for (const ObjectInfo& info : listed) keys.push_back(info.key);
    return keys;
  }
  void expect_refused(const std::string& to, ErrorCode code) {
    const auto refused = link("a/x", to);
    ASSERT_FALSE(refused) << to;
    EXPECT_STREQ(error_code_name(refused.error().code), error_code_name(code)) << refused.error().message;
  }

  ManualClock clock_;
  StoreUnderTest under_test_;
  ObjectStore& store_;
};

TEST_P(LinkObject, NeitherKeyDependsOnTheOther) {
  ASSERT_TRUE(store_.put("a/x", "first"));
  const Result<bool> linked = link("a/x", "b/c/y");
  ASSERT_TRUE(linked) << linked.error().message;
  EXPECT_EQ(*linked, GetParam().name != "Memory");
  if (!*linked) {
    EXPECT_THAT(keys(), ::testing::ElementsAre("a/x"));
    return;
  }
  EXPECT_THAT(keys(), ::testing::ElementsAre("a/x", "b/c/y"));
  EXPECT_EQ(content("b/c/y"), "first");
  ASSERT_TRUE(store_.put("a/x", "second"));
  EXPECT_EQ(content("b/c/y"), "first");
  EXPECT_EQ(link("b/c/y", "z").value(), true);
  ASSERT_TRUE(store_.remove("b/c/y"));
  EXPECT_EQ(content("z"), "first");
  EXPECT_EQ(content("a/x"), "second");
  ASSERT_TRUE(store_.put("z", "third"));
  EXPECT_EQ(content("a/x"), "second");
}

TEST_P(LinkObject, ReplacesNothing) {
  ASSERT_TRUE(store_.put("a/x", "first"));
  ASSERT_TRUE(store_.put("b/c", "other"));
  for (const std::string& key : {std::string(""), std::string("/a"), std::string("../a"), make_temporary_name()}) {
    expect_refused(key, ErrorCode::kInvalidInput);
  }
  EXPECT_EQ(link("nothing", "c").error().code, ErrorCode::kNotFound);
  if (GetParam().name != "Memory") {
    expect_refused("a/x", ErrorCode::kAlreadyExists);
    expect_refused("b/c", ErrorCode::kAlreadyExists);
    expect_refused("b", ErrorCode::kInvalidInput);
    expect_refused("b/c/d", ErrorCode::kInvalidInput);
  }
  EXPECT_THAT(keys(), ::testing::ElementsAre("a/x", "b/c"));
  EXPECT_EQ(content("a/x"), "first");
  EXPECT_EQ(content("b/c"), "other");
}

INSTANTIATE_TEST_SUITE_P(All, LinkObject, all_stores(), name_of_store);

TEST(LinkObjectBetweenStores, IsLeftToACopyWhereItCannotBe) {
  ManualClock clock;
  const TemporaryFolder folder;
  const auto memory = make_memory_store(clock);
  const auto local = make_local_store(folder.path() / "local").value();
  const auto other = make_local_store(folder.path() / "other/deep").value();
  const auto one = make_fault_store(clock);
  const auto two = make_fault_store(clock);
  ASSERT_TRUE(memory->put("m", "bytes"));
  ASSERT_TRUE(local->put("l", "bytes"));
  ASSERT_TRUE(one->put("o", "bytes"));
  EXPECT_EQ(link_object(*local, "m", **memory->open("m")).value(), false);
  EXPECT_EQ(link_object(*memory, "l", **local->open("l")).value(), false);
  EXPECT_EQ(link_object(*one, "l", **local->open("l")).value(), false);
  EXPECT_EQ(link_object(*local, "o", **one->open("o")).value(), false);
  EXPECT_EQ(link_object(*two, "o", **one->open("o")).value(), false) << "it is another disk";
  EXPECT_EQ(link_object(*other, "a/l", **local->open("l")).value(), true);
  std::filesystem::remove_all(folder.path() / "local");
  EXPECT_EQ(other->read("a/l").value().bytes, "bytes");

  const auto files = SimulatedFileSystem::make(clock);
  const auto linkless = make_file_store(files, "/v");
  ASSERT_TRUE(linkless->put("o", "bytes"));
  files->support_link_file(false);
  EXPECT_EQ(link_object(*linkless, "p", **linkless->open("o")).value(), false);
}

/// A symbolic link gets no second key: the object that it leads to does.
TEST(LinkObjectBetweenStores, FollowsSymbolicLinks) {
  const TemporaryFolder folder;
  const auto local = make_local_store(folder.path() / "local").value();
  const auto other = make_local_store(folder.path() / "other").value();
  ASSERT_TRUE(local->put("a/object", "bytes"));
  std::filesystem::create_symlink("a/object", folder.path() / "local/way");
  ASSERT_TRUE(link_object(*other, "copy", **local->open("way")).value());
  EXPECT_FALSE(std::filesystem::is_symlink(folder.path() / "other/copy"));
  EXPECT_EQ(other->read("copy").value().bytes, "bytes");

  std::filesystem::create_directory(folder.path() / "outside");
  std::filesystem::create_symlink("../outside", folder.path() / "other/out");
  const auto escaped = link_object(*other, "out/copy", **local->open("way"));
  ASSERT_FALSE(escaped);
  EXPECT_EQ(escaped.error().code, ErrorCode::kPermissionDenied) << escaped.error().message;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "outside"));
}

class LinkFault : public ::testing::TestWithParam<FaultStore::Mode> {};

/// A writer that forgot to sync what it wrote is among them: a link that lasts has its content.
TEST_P(LinkFault, AfterAnyFaultItIsWholeOrNotThere) {
  ManualClock clock;
  const std::string bytes(5'000, 'x');
  std::uint64_t struck = 0;
  std::uint64_t there = 0;
  for (std::uint64_t point = 0; struck == point; ++point) {
    for (const std::uint64_t seed : {1, 2, 3, 4}) {
      std::shared_ptr<FaultStore> store = make_fault_store(clock);
      store->skip_file_sync(true);
      ASSERT_TRUE(store->put("a/x", bytes));
      store->skip_file_sync(false);
      Result<bool> linked = false;
      {
        const auto object = store->open("a/x").value();
        store->arm(GetParam(), point, seed);
        linked = link_object(*store, "b/c/y", *object);
      }
      const bool fired = store->fired();
      ASSERT_TRUE(linked || fired);
      store = GetParam() == FaultStore::Mode::kPowerCut || linked ? store->restart() : store->reopen();
      const auto found = store->read("b/c/y");
      EXPECT_TRUE(found || !linked) << "it was said to last";
      EXPECT_TRUE(!found || found->bytes == bytes) << "point " << point << " seed " << seed;
      there += found ? 1 : 0;
      if (seed == 4 && fired) ++struck;
    }
  }
  EXPECT_GE(struck, 5U);
  EXPECT_GT(there, 0U);
}

INSTANTIATE_TEST_SUITE_P(Modes, LinkFault,
                         ::testing::Values(FaultStore::Mode::kFailOnce, FaultStore::Mode::kFailSticky,
                                           FaultStore::Mode::kNoSpaceOnce, FaultStore::Mode::kPowerCut,
                                           FaultStore::Mode::kKill));

}  // namespace
}  // namespace marigram::io
