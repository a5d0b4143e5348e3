// The disk that the crash tests trust. Without this test it could be too kind (what was not synced always survives) or
// too cruel (what was synced is lost), and every proof built on it would be worth nothing.
#include "io/simulated_disk.h"

#include "base/manual_clock.h"
#include "io/simulated_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace marigram::io {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;
using Mode = FaultStore::Mode;

constexpr std::uint64_t kSeeds = 400;

struct Disk {
  std::shared_ptr<SimulatedFileSystem> files;
  std::unique_ptr<Tree> tree;
  std::unique_ptr<Folder> folder;

  explicit Disk(std::shared_ptr<SimulatedFileSystem> from)
      : files(std::move(from)), tree(files->open_tree("/").value()), folder(tree->open_folder("").value()) {}
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

void write_all(File& file, std::string_view bytes) {
  while (!bytes.empty()) bytes.remove_prefix(file.write(bytes_of(bytes)).value());
}

std::string content_of(const Tree& tree, const std::string& path) {
  const auto file = tree.open_file(path);
  if (!file) return "absent";
  std::string bytes((*file)->stat().value().size, '\0');
  EXPECT_EQ((*file)->read_at(0, std::as_writable_bytes(std::span(bytes))).value(), bytes.size());
  return bytes;
}

/// What `look` sees after `work` and a power cut, over many seeds.
template <typename Seen>
std::map<Seen, int> outcomes(const std::function<void(Disk&)>& work, const std::function<Seen(const Disk&)>& look) {
  ManualClock clock;
  std::map<Seen, int> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(SimulatedFileSystem::make(clock));
    disk.files->arm(Mode::kFailOnce, 1'000'000, seed);  // for its seed
    work(disk);
    ++seen[look(Disk(disk.files->restart()))];
  }
  return seen;
}

std::function<std::string(const Disk&)> content(const std::string& path) {
  return [path](const Disk& disk) { return content_of(*disk.tree, path); };
}

TEST(SimulatedDisk, WhatWasSyncedSurvivesAlways) {
  const auto seen = outcomes<std::string>(
      [](Disk& disk) {
        const auto file = disk.folder->create("a").value();
        write_all(*file, std::string(3'000, 'x'));
        ASSERT_TRUE(file->sync());
        ASSERT_TRUE(disk.folder->sync());
      },
      content("a"));
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.begin()->first, std::string(3'000, 'x'));
}

TEST(SimulatedDisk, WhatWasNotSyncedSurvivesInAnyPart) {
  const std::string whole = std::string(512, 'a') + std::string(512, 'b') + std::string(100, 'c');
  const auto seen = outcomes<std::string>(
      [&](Disk& disk) {
        const auto file = disk.folder->create("a").value();
        ASSERT_TRUE(disk.folder->sync());  // the name lasts, the content need not
        write_all(*file, whole);
      },
      content("a"));
  EXPECT_TRUE(seen.contains(whole));
  EXPECT_TRUE(seen.contains(""));
  EXPECT_TRUE(seen.contains(std::string(512, '\0') + whole.substr(512)));  // a later sector without an earlier one
  EXPECT_TRUE(seen.contains(std::string(1'124, '\0')));                    // the size without the content
  std::set<std::size_t> sizes;
  bool garbage = false;
  for (const auto& [bytes, count] : seen) {
    sizes.insert(bytes.size());
    garbage |= bytes.find_first_not_of(std::string("abc\0", 4)) != std::string::npos;
  }
  EXPECT_FALSE(seen.contains("absent"));
  EXPECT_TRUE(garbage);
  EXPECT_GT(sizes.size(), 20u);
}

TEST(SimulatedDisk, WhatIsWrittenInPlaceSurvivesSectorBySector) {
  const std::string old = std::string(512, 'a') + std::string(512, 'b') + std::string(512, 'c');
  const auto seen = outcomes<std::string>(
      [&](Disk& disk) {
        const auto made = disk.folder->create("a").value();
        write_all(*made, old);
        ASSERT_TRUE(made->sync());
        ASSERT_TRUE(disk.folder->sync());
        const auto file = disk.folder->open_for_writing("a").value();
        EXPECT_EQ(file->write_at(500, bytes_of(std::string(600, 'x'))).value(), 600u);
      },
      content("a"));
  EXPECT_EQ(seen.size(), 8u);  // each of the three touched sectors is old or new
  EXPECT_TRUE(seen.contains(old));
  EXPECT_TRUE(seen.contains(std::string(500, 'a') + std::string(600, 'x') + std::string(436, 'c')));
  EXPECT_TRUE(seen.contains(std::string(512, 'a') + std::string(512, 'x') + std::string(512, 'c')));
}

TEST(SimulatedDisk, AllocatedSpaceIsThereWhenItIsSyncedAndMayElseBeMissing) {
  for (const bool synced : {false, true}) {
    const auto seen = outcomes<std::string>(
        [&](Disk& disk) {
          const auto file = disk.folder->create("a").value();
          ASSERT_TRUE(disk.folder->sync());
          ASSERT_TRUE(file->allocate(1'000));
          EXPECT_EQ(content_of(*disk.tree, "a"), std::string(1'000, '\0'));
          if (synced) {
            ASSERT_TRUE(file->sync_content());
          }
        },
        content("a"));
    EXPECT_TRUE(seen.contains(std::string(1'000, '\0')));
    EXPECT_EQ(seen.contains(""), !synced);
    EXPECT_EQ(seen.size() == 1, synced);
  }
}

TEST(SimulatedDisk, SyncedContentWithoutTheNameMayBeGone) {
  const auto seen = outcomes<std::string>(
      [](Disk& disk) {
        const auto file = disk.folder->create("a").value();
        write_all(*file, "content");
        ASSERT_TRUE(file->sync());
      },
      content("a"));
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen.contains("absent"));
  EXPECT_TRUE(seen.contains("content"));
}

/// "<content of a> <content of b>".
std::string both(const Disk& disk) {
  return content_of(*disk.tree, "a") + " " + content_of(*disk.tree, "b");
}

void make_synced(Disk& disk, const std::string& name, const std::string& bytes) {
  const auto file = disk.folder->create(name).value();
  write_all(*file, bytes);
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(disk.folder->sync());
}

TEST(SimulatedDisk, RenamesAreAtomic) {
  const auto seen = outcomes<std::string>(
      [](Disk& disk) {
        make_synced(disk, "a", "1");
        make_synced(disk, "b", "2");
        ASSERT_TRUE(disk.folder->rename("a", "b"));
      },
      both);
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen.contains("1 2"));
  EXPECT_TRUE(seen.contains("absent 1"));
}

TEST(SimulatedDisk, LaterNamesMaySurviveWithoutEarlierOnes) {
  const auto seen = outcomes<std::string>(
      [](Disk& disk) {
        ASSERT_TRUE(disk.folder->create("a"));
        ASSERT_TRUE(disk.folder->make_folder("b"));
      },
      [](const Disk& disk) {
        return std::string(disk.tree->stat("a") ? "a" : "-") + (disk.tree->stat("b") ? "b" : "-");
      });
  EXPECT_EQ(seen.size(), 4u);
}

TEST(SimulatedDisk, LinksAreTwoNamesOfOneFile) {
  ManualClock clock;
  Disk disk(SimulatedFileSystem::make(clock));
  make_synced(disk, "a", "1");
  ASSERT_TRUE(disk.folder->link("a", "b"));
  ASSERT_TRUE(disk.folder->sync());
  const Disk found(disk.files->restart());
  EXPECT_EQ(both(found), "1 1");
  EXPECT_EQ(found.tree->stat("a").value().inode, found.tree->stat("b").value().inode);
}

TEST(SimulatedDisk, AFolderGoesWithAllBelowIt) {
  const auto seen = outcomes<std::string>(
      [](Disk& disk) {
        ASSERT_TRUE(disk.folder->make_folder("f"));
        Disk below(disk.files);
        below.folder = disk.tree->open_folder("f").value();
        make_synced(below, "a", "1");
      },
      content("f/a"));
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen.contains("absent"));
  EXPECT_TRUE(seen.contains("1"));
}

TEST(SimulatedDisk, ASyncAfterAFailedOneDoesNotBringBackWhatWasDropped) {
  ManualClock clock;
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(SimulatedFileSystem::make(clock));
    const auto file = disk.folder->create("a").value();
    ASSERT_TRUE(disk.folder->sync());
    write_all(*file, "content");
    disk.files->arm(Mode::kFailOnce, 0, seed);
    EXPECT_EQ(file->sync().error(), Errno{EIO});
    EXPECT_TRUE(disk.files->fired());
    EXPECT_TRUE(file->sync());  // says that all is well
    EXPECT_EQ(content_of(*disk.tree, "a"), "content");
    seen.insert(content_of(*Disk(disk.files->restart()).tree, "a"));
  }
  EXPECT_THAT(seen, IsSupersetOf({std::string("content"), std::string(7, '\0')}));
}

TEST(SimulatedDisk, ASyncAfterOneThatLackedSpaceDoes) {
  const auto seen = outcomes<std::string>(
      [](Disk& disk) {
        const auto file = disk.folder->create("a").value();
        write_all(*file, "content");
        disk.files->arm(Mode::kNoSpaceOnce, 0, 3);
        EXPECT_EQ(file->sync().error(), Errno{ENOSPC});
        ASSERT_TRUE(file->sync());
        disk.files->arm(Mode::kNoSpaceOnce, 0, 4);
        EXPECT_EQ(disk.folder->sync().error(), Errno{ENOSPC});
        ASSERT_TRUE(disk.folder->sync());
      },
      content("a"));
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen.contains("content"));
}

TEST(SimulatedDisk, FaultsStrikeAtTheirStep) {
  ManualClock clock;
  Disk disk(SimulatedFileSystem::make(clock));
  const auto file = disk.folder->create("a").value();
  EXPECT_EQ(disk.files->points(), 1u);
  EXPECT_EQ(disk.folder->create("a").error(), Errno{EEXIST});
  EXPECT_EQ(disk.files->points(), 1u);  // refused anyway: no step

  disk.files->arm(Mode::kFailOnce, 1, 9);
  EXPECT_TRUE(disk.folder->make_folder("f"));
  EXPECT_FALSE(disk.files->fired());
  EXPECT_EQ(disk.folder->rename("a", "b").error(), Errno{EIO});
  EXPECT_TRUE(disk.files->fired());
  EXPECT_TRUE(disk.folder->rename("a", "b"));
  EXPECT_EQ(disk.files->points(), 4u);

  disk.files->arm(Mode::kFailSticky, 0, 9);
  EXPECT_FALSE(disk.files->fired());
  EXPECT_EQ(disk.folder->unlink("b").error(), Errno{EIO});
  EXPECT_EQ(disk.folder->unlink("b").error(), Errno{EIO});
  EXPECT_TRUE(disk.tree->stat("b"));  // reads go on
  disk.files->disarm();
  EXPECT_TRUE(disk.files->fired());

  disk.files->arm(Mode::kPowerCut, 0, 9);
  EXPECT_EQ(disk.folder->unlink("b").error(), Errno{EIO});
  EXPECT_EQ(disk.tree->stat("b").error(), Errno{EIO});
  EXPECT_EQ(disk.folder->entries().error(), Errno{EIO});
  EXPECT_EQ(file->stat().error(), Errno{EIO});
  EXPECT_EQ(file->sync().error(), Errno{EIO});
  EXPECT_EQ(disk.folder->lock().error(), Errno{EIO});
  EXPECT_EQ(disk.files->open_tree("/").error(), Errno{EIO});
}

TEST(SimulatedDisk, WritesAreShortAndOneThatFailsMayHaveWrittenABeginning) {
  ManualClock clock;
  std::set<std::uint64_t> sizes;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk(SimulatedFileSystem::make(clock));
    const auto file = disk.folder->create("a").value();
    const std::string bytes(100'000, 'x');
    EXPECT_EQ(file->write(bytes_of(bytes)).value(), SimulatedFileSystem::kWriteMax);
    disk.files->arm(Mode::kNoSpaceOnce, 0, seed);
    EXPECT_EQ(file->write(bytes_of("0123456789")).error(), Errno{ENOSPC});
    sizes.insert(file->stat().value().size - SimulatedFileSystem::kWriteMax);
  }
  EXPECT_THAT(sizes, IsSupersetOf({std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{10}}));
}

TEST(SimulatedDisk, SyncsThatDoNothingLoseThings) {
  const auto lost = [](bool file_sync, bool folder_sync) {
    const auto seen = outcomes<std::string>(
        [&](Disk& disk) {
          disk.files->skip_file_sync(file_sync);
          disk.files->skip_folder_sync(folder_sync);
          make_synced(disk, "a", "1");
        },
        content("a"));
    return seen.size() > 1 || !seen.contains("1");
  };
  EXPECT_FALSE(lost(false, false));
  EXPECT_TRUE(lost(true, false));
  EXPECT_TRUE(lost(false, true));
}

TEST(SimulatedDisk, TheSeedDecidesAll) {
  ManualClock clock;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::set<std::string> seen;
    for (int i = 0; i < 3; ++i) {
      Disk disk(SimulatedFileSystem::make(clock));
      for (const char* name : {"a", "b"}) {
        const auto file = disk.folder->create(name).value();
        write_all(*file, std::string(2'000, name[0]));
      }
      disk.files->arm(Mode::kPowerCut, 0, seed);
      EXPECT_FALSE(disk.folder->rename("a", "b"));
      seen.insert(both(Disk(disk.files->restart())));
    }
    EXPECT_EQ(seen.size(), 1u);
  }
}

TEST(SimulatedDisk, InodeNumbersAreReused) {
  ManualClock clock;
  Disk disk(SimulatedFileSystem::make(clock));
  const std::uint64_t first = disk.folder->create("a").value()->stat().value().inode;
  ASSERT_TRUE(disk.folder->unlink("a"));
  ASSERT_TRUE(disk.folder->sync());
  EXPECT_EQ(disk.folder->create("b").value()->stat().value().inode, first);
}

}  // namespace
}  // namespace marigram::io
