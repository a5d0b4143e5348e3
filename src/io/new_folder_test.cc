// New folders: there whole, or not at all, and never over what is there. Without this an export that fails would leave
// a part of a table, or take the place of another.
#include "io/new_folder.h"

#include "io/temporary_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace marigram::io {
namespace {

namespace fs = std::filesystem;

TEST(NewFolder, AppearsWhole) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "new";
  auto made = NewFolder::create(path.string() + "/");
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(made->store().put("a/b", "x"));
  EXPECT_FALSE(fs::exists(path));
  ASSERT_TRUE(made->publish());
  std::string content;
  std::ifstream(path / "a/b") >> content;
  EXPECT_EQ(content, "x");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(NewFolder, IsTakenAwayIfItIsNotFinished) {
  const TemporaryFolder folder;
  {
    auto made = NewFolder::create(folder.path() / "new");
    ASSERT_TRUE(made->store().put("a/b", "x"));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(NewFolder, ReplacesNothing) {
  const TemporaryFolder folder;
  EXPECT_EQ(NewFolder::create(folder.path() / "no" / "new").error().code, ErrorCode::kNotFound);
  fs::create_directory(folder.path() / "empty");
  auto late = NewFolder::create(folder.path() / "empty");
  ASSERT_TRUE(late->store().put("a", "x"));
  std::ofstream(folder.path() / "empty" / "mine") << "y";
  EXPECT_EQ(NewFolder::create(folder.path() / "empty").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(NewFolder::create(folder.path() / "empty" / "mine").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(late->publish().error().code, ErrorCode::kAlreadyExists);
  EXPECT_TRUE(fs::exists(folder.path() / "empty" / "mine"));
  fs::remove(folder.path() / "empty" / "mine");
  EXPECT_TRUE(late->publish());
  EXPECT_TRUE(fs::exists(folder.path() / "empty" / "a"));
}

}  // namespace
}  // namespace marigram::io
