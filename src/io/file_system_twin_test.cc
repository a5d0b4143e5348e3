// The simulated file system stands in for the real one in every crash test. Without this test it could drift away from
// what the machine does, and the crash tests would prove something about a fiction. Twin: the machine's own, over
// random sequences of calls; answers, errno values and contents must agree.
#include "base/manual_clock.h"
#include "io/file_system.h"
#include "io/posix_file_system.h"
#include "io/simulated_file_system.h"
#include "io/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace marigram::io {
namespace {

std::string shown(const FileStatus& status) {
  return status ? "ok" : "errno " + std::to_string(status.error().value);
}

std::string shown(const FileResult<FileStat>& stat) {
  if (!stat) return "errno " + std::to_string(stat.error().value);
  const bool folder = stat->kind == FileKind::kFolder;
  return std::to_string(static_cast<int>(stat->kind)) + (folder ? "" : " size " + std::to_string(stat->size));
}

template <typename T>
std::string shown(const FileResult<std::unique_ptr<T>>& opened) {
  return opened ? "ok" : "errno " + std::to_string(opened.error().value);
}

std::string content_of(const FileResult<std::unique_ptr<File>>& file) {
  if (!file) return "errno " + std::to_string(file.error().value);
  std::string bytes((*file)->stat().value().size + 10, '?');
  const auto got = (*file)->read_at(0, std::as_writable_bytes(std::span(bytes)));
  if (!got) return "errno " + std::to_string(got.error().value);  // a folder
  return bytes.substr(0, *got) + "|" + std::to_string((*file)->read_at(*got, {}).value());
}

std::string listing_of(const Folder& folder) {
  std::map<std::string, std::string> names;
  const auto entries = folder.entries().value();
  for (const FolderEntry& entry : entries) names[entry.name] = shown(FileResult<FileStat>(entry.stat));
  std::string text;
  for (const auto& [name, stat] : names) text += name + ":" + stat + " ";
  return text;
}

/// One random call on `tree`, described. Equal random numbers make equal calls.
std::string random_call(const Tree& tree, std::mt19937& random) {
  const std::vector<std::string> names = {"a", "b", "c"};
  const auto pick = [&random](std::size_t bound) { return random() % bound; };
  const std::string path = pick(3) == 0 ? "" : names[pick(3)];
  const std::string from = names[pick(3)];
  const std::string to = names[pick(3)];
  const std::string below = path.empty() ? from : path + "/" + from;
  const auto folder = tree.open_folder(path);
  if (!folder) return "open " + path + " " + shown(folder) + ", stat " + shown(tree.stat(path));
  switch (pick(14)) {
    case 0: {
      auto file = (*folder)->create(from);
      if (!file) return "create " + below + " " + shown(file);
      const std::string bytes(pick(2'000), static_cast<char>('a' + pick(26)));
      const auto written = (*file)->write(std::as_bytes(std::span(bytes)));
      return "create " + below + " " + std::to_string(written.value()) + " " + shown((*file)->sync()) +
             shown((*file)->stat());
    }
    case 1:
      return "folder " + below + " " + shown((*folder)->make_folder(from));
    case 2:
      return from == to ? "" : "rename " + below + " " + to + " " + shown((*folder)->rename(from, to));
    case 3:
      return "rename_new " + below + " " + to + " " + shown((*folder)->rename_new(from, to));
    case 4:
      return "link " + below + " " + to + " " + shown((*folder)->link(from, to));
    case 5:
      return "unlink " + below + " " + shown((*folder)->unlink(from));
    case 6:
      return "list " + path + " " + listing_of(**folder);
    case 7:
      return "read " + below + " " + content_of(tree.open_file(below));
    case 8: {
      const auto file = (*folder)->open_for_writing(from);
      if (!file) return "open " + below + " for writing " + shown(file);
      const std::string bytes(pick(1'200), static_cast<char>('A' + pick(26)));
      const auto written = (*file)->write_at(pick(4'000), std::as_bytes(std::span(bytes)));
      return "write at " + below + " " + std::to_string(written.value()) + " " + shown((*file)->sync_content()) +
             shown((*file)->stat()) + content_of(file);
    }
    case 9: {
      const auto file = (*folder)->open_for_writing(from);
      if (!file) return "open " + below + " for writing " + shown(file);
      return "allocate " + below + " " + shown((*file)->allocate(pick(3) * pick(3'000))) + content_of(file);
    }
    case 10:
      return "remove folder " + below + " " + shown((*folder)->remove_folder(from));
    case 11: {
      const auto file = tree.open_file(below);
      if (!file) return "link_file " + below + " " + shown(file);
      return "link_file " + below + " " + to + " " + shown(tree.open_folder("").value()->link_file(**file, to));
    }
    default:
      return "stat " + below + " " + shown(tree.stat(below)) + shown((*folder)->sync());
  }
}

/// Whether a call would link a folder, which a store never does and the simulation does not know.
bool links_folder(const std::string& call) {
  return call.starts_with("link") || call.starts_with("unlink");
}

TEST(FileSystemTwin, SimulationAgreesWithTheMachine) {
  const TemporaryFolder folder;
  ManualClock clock;
  int calls = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    const std::filesystem::path root = folder.path() / std::to_string(seed);
    std::filesystem::create_directory(root);
    const auto real = make_posix_file_system()->open_tree(root).value();
    const auto simulated = SimulatedFileSystem::make(clock)->open_tree("/").value();
    std::mt19937 for_real(seed);
    std::mt19937 for_simulated(seed);
    for (int i = 0; i < 100; ++i, ++calls) {
      const std::string want = random_call(*real, for_real);
      const std::string got = random_call(*simulated, for_simulated);
      if (want != got && links_folder(want) && got.ends_with("errno 21")) break;
      ASSERT_EQ(got, want) << "seed " << seed << " call " << i;
    }
  }
  EXPECT_GT(calls, 1'000);
}

/// Of a folder that was opened twice, as two processes would.
void expect_locks_to_exclude(const Tree& tree) {
  const auto one = tree.open_folder("").value();
  const auto other = tree.open_folder("").value();
  auto lock = one->try_lock();
  ASSERT_TRUE(lock);
  EXPECT_EQ(other->try_lock().error(), Errno{EWOULDBLOCK});
  lock->reset();
  auto next = other->lock();
  ASSERT_TRUE(next);
  EXPECT_EQ(one->try_lock().error(), Errno{EWOULDBLOCK});
  next->reset();
  EXPECT_TRUE(one->try_lock());
}

TEST(FileSystemTwin, LocksExclude) {
  const TemporaryFolder folder;
  ManualClock clock;
  expect_locks_to_exclude(*make_posix_file_system()->open_tree(folder.path()).value());
  expect_locks_to_exclude(*SimulatedFileSystem::make(clock)->open_tree("/").value());
}

}  // namespace
}  // namespace marigram::io
