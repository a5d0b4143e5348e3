// Logs for tests: opened over a simulated file system, their files copied, damaged and put back.
#pragma once

#include "base/manual_clock.h"
#include "io/file_system.h"
#include "io/simulated_file_system.h"
#include "wal/wal.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::wal {

inline constexpr const char* kLogPath = "/wal";

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// What a replay saw.
struct Entry {
  Lsn lsn = 0;
  std::string payload = {};
  friend bool operator==(const Entry&, const Entry&) = default;
  friend void PrintTo(const Entry& entry, std::ostream* out) {
    *out << entry.lsn << ":" << entry.payload.substr(0, 20) << "(" << entry.payload.size() << ")";
  }
};

inline Visit collect_into(std::vector<Entry>& entries) {
  return [&entries](Lsn lsn, std::span<const std::byte> payload) -> Status {
    entries.push_back({lsn, std::string(reinterpret_cast<const char*>(payload.data()), payload.size())});
    return {};
  };
}

struct OpenLog {
  std::unique_ptr<Wal> wal;
  Recovery recovery;
  std::vector<Entry> entries;

  /// The LSN; a test failure if there is none.
  Lsn append(std::string_view payload, Durability durability = Durability::kSync) const {
    const auto lsn = wal->append(bytes_of(payload), durability);
    EXPECT_TRUE(lsn) << lsn.error().message;
    return lsn.value_or(0);
  }
};

inline WalOptions small_files(std::uint64_t file_bytes = 1'024, Lsn start = 0) {
  WalOptions options;
  options.start = start;
  options.file_bytes = file_bytes;
  options.queue_bytes = 4'096;
  return options;
}

inline Result<OpenLog> open_log(const io::FileSystem& files, const WalOptions& options,
                                const std::filesystem::path& path = kLogPath) {
  OpenLog log;
  auto opened = Wal::open(files, path, options, collect_into(log.entries));
  if (!opened) return std::unexpected(std::move(opened).error());
  log.wal = std::move(opened->wal);
  log.recovery = opened->recovery;
  return log;
}

/// Contents of the log's files by name.
using Contents = std::map<std::string, std::string>;

inline Contents contents_of(const io::FileSystem& files) {
  Contents contents;
  const auto tree = files.open_tree(kLogPath).value();
  const auto entries = tree->open_folder("").value()->entries().value();
  for (const io::FolderEntry& entry : entries) {
    std::string bytes(entry.stat.size, '?');
    const auto file = tree->open_file(entry.name).value();
    EXPECT_EQ(file->read_at(0, std::as_writable_bytes(std::span(bytes))).value(), bytes.size());
    contents[entry.name] = bytes;
  }
  return contents;
}

/// A disk that holds these files and no others, all of it synced.
inline std::shared_ptr<io::SimulatedFileSystem> disk_with(const Contents& contents, const Clock& clock) {
  auto disk = io::SimulatedFileSystem::make(clock);
  const auto root = disk->open_tree("/").value()->open_folder("").value();
  EXPECT_TRUE(root->make_folder("wal"));
  EXPECT_TRUE(root->sync());
  const auto folder = disk->open_tree(kLogPath).value()->open_folder("").value();
  for (const auto& [name, bytes] : contents) {
    const auto file = folder->create(name).value();
    for (std::size_t done = 0; done < bytes.size();) done += file->write(bytes_of(bytes).subspan(done)).value();
    EXPECT_TRUE(file->sync());
  }
  EXPECT_TRUE(folder->sync());
  return disk;
}

/// A test with a log on a simulated disk.
class LogTest : public ::testing::Test {
 protected:
  OpenLog open(const WalOptions& options = small_files()) {
    auto log = open_log(*disk_, options);
    EXPECT_TRUE(log) << log.error().message;
    return std::move(*log);
  }

  ManualClock clock_;
  std::shared_ptr<io::SimulatedFileSystem> disk_ = disk_with({}, clock_);
};

inline std::vector<std::string> payloads_of(const std::vector<Entry>& entries) {
  std::vector<std::string> payloads;
  for (const Entry& entry : entries) payloads.push_back(entry.payload);
  return payloads;
}

}  // namespace marigram::wal
