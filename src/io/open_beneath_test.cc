// The wall around a store. Without this test a symbolic link or `..` could lead out of it, or the walk for old kernels
// could answer differently from the kernel. Twin: each of the two ways, over every path made of hostile parts.
#include "io/open_beneath.h"

#include "io/temporary_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace marigram::io {
namespace {

namespace fs = std::filesystem;

class OpenBeneath : public ::testing::Test {
 protected:
  OpenBeneath() {
    fs::create_directories(outside() / "secret");
    std::ofstream(outside() / "secret/file") << "secret";
    fs::create_directories(root() / "a/b");
    std::ofstream(root() / "file") << "1";
    std::ofstream(root() / "a/file") << "2";
    std::ofstream(root() / "a/b/file") << "3";
    fs::create_symlink("a/b", root() / "inside");
    fs::create_symlink("../file", root() / "a/up");
    fs::create_symlink("../../a/./b//file", root() / "a/b/around");
    fs::create_symlink("inside/../../file", root() / "twice");
    fs::create_symlink("..", root() / "out");
    fs::create_symlink("../outside/secret/file", root() / "out_file");
    fs::create_symlink(outside(), root() / "absolute");
    fs::create_symlink(root() / "a", root() / "absolute_inside");
    fs::create_symlink("nowhere", root() / "dangling");
    fs::create_symlink("loop", root() / "loop");
    fs::create_symlink("file/", root() / "slash");
    fs::create_symlink("a/", root() / "slash_folder");
    root_ = Descriptor(::open(root().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }

  fs::path root() const { return folder_.path() / "root"; }
  fs::path outside() const { return folder_.path() / "outside"; }

  /// "inode <n>" or "errno <n>".
  static std::string shown(const FileResult<Descriptor>& opened) {
    if (!opened) return "errno " + std::to_string(opened.error().value);
    struct stat found{};
    EXPECT_EQ(::fstat(opened->get(), &found), 0);
    EXPECT_NE(::fcntl(opened->get(), F_GETFD) & FD_CLOEXEC, 0);
    return "inode " + std::to_string(found.st_ino);
  }

  TemporaryFolder folder_;
  Descriptor root_;
};

int error_of(const FileResult<Descriptor>& opened) {
  return opened ? 0 : opened.error().value;
}

TEST_F(OpenBeneath, FollowsWhatStaysInside) {
  for (const char* path : {"", "a", "file", "a/b/file", "inside/file", "a/up", "a/b/around", "a/../file"}) {
    EXPECT_EQ(error_of(open_beneath(root_.get(), path, O_RDONLY)), 0) << path;
    EXPECT_EQ(error_of(open_beneath_by_walk(root_.get(), path, O_RDONLY)), 0) << path;
  }
}

TEST_F(OpenBeneath, RefusesWhatLeadsOutside) {
  for (const char* path : {"..", "../outside", "a/../..", "out", "out/outside", "out_file", "absolute",
                           "absolute/secret/file", "absolute_inside/file", "out/root/file"}) {
    for (const int flags : {O_RDONLY, O_PATH}) {
      EXPECT_EQ(error_of(open_beneath(root_.get(), path, flags)), EXDEV) << path;
      EXPECT_EQ(error_of(open_beneath_by_walk(root_.get(), path, flags)), EXDEV) << path;
    }
  }
}

TEST_F(OpenBeneath, OtherErrors) {
  for (const auto& way : {&open_beneath, &open_beneath_by_walk}) {
    EXPECT_EQ(error_of(way(root_.get(), "dangling", O_RDONLY)), ENOENT);
    EXPECT_EQ(error_of(way(root_.get(), "loop", O_RDONLY)), ELOOP);
    EXPECT_EQ(error_of(way(root_.get(), "none/x", O_RDONLY)), ENOENT);
    EXPECT_EQ(error_of(way(root_.get(), "file/x", O_RDONLY)), ENOTDIR);
    EXPECT_EQ(error_of(way(root_.get(), "file", O_RDONLY | O_DIRECTORY)), ENOTDIR);
    EXPECT_EQ(error_of(way(root_.get(), std::string(300, 'x'), O_RDONLY)), ENAMETOOLONG);
  }
}

TEST_F(OpenBeneath, WalkAndKernelAgreeOnEveryPathOfThreeParts) {
  if (error_of(open_beneath_by_kernel(root_.get(), "file", O_RDONLY)) != 0) {
    GTEST_SKIP() << "this kernel has no openat2, or forbids it";
  }
  const std::vector<std::string> parts = {
      "a", "b",    "file",  "inside",  "up",       "around", "twice",    "out",          "root",     "..",
      ".", "loop", "slash", "outside", "absolute", "none",   "dangling", "slash_folder", "out_file", "absolute_inside"};
  std::vector<std::string> paths = {""};
  for (const auto& x : parts) {
    paths.push_back(x);
    for (const auto& y : parts) {
      paths.push_back(x + "/" + y);
      for (const auto& z : parts) paths.push_back(x + "/" + y + "/" + z);
    }
  }
  for (const int flags : {O_RDONLY, O_PATH, O_RDONLY | O_DIRECTORY, O_PATH | O_DIRECTORY}) {
    for (const std::string& path : paths) {
      const std::string kernel = shown(open_beneath_by_kernel(root_.get(), path, flags));
      const std::string walk = shown(open_beneath_by_walk(root_.get(), path, flags));
      ASSERT_EQ(walk, kernel) << path << " with flags " << flags;
    }
  }
}

}  // namespace
}  // namespace marigram::io
