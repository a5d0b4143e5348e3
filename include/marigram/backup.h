// Backups of databases: snapshots in folders of their own.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace marigram {

struct SnapshotOptions {
  /// An earlier snapshot of the same database: files that it has are not copied but shared with it, by hard links where
  /// the file system has them. Each snapshot is whole by itself: any of them may be deleted.
  std::string base = {};
};

struct SnapshotReport {
  std::uint64_t tables = 0;
  std::uint64_t rows = 0;  ///< of all segments
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t shared_files = 0;  ///< with the base, of those
  std::uint64_t shared_bytes = 0;
};

struct RestoreOptions {
  std::string name_space = {};                                      ///< of that namespace alone; empty: of all
  std::string table = {};                                           ///< that table of it alone; empty: all
  std::int64_t from_ns = std::numeric_limits<std::int64_t>::min();  ///< rows from here on, inclusive
  std::int64_t to_ns = std::numeric_limits<std::int64_t>::max();    ///< to here, inclusive
};

struct RestoreReport {
  std::uint64_t tables = 0;
  std::uint64_t rows = 0;  ///< of all segments
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

struct SnapshotVerifyReport {
  std::uint64_t files = 0;  ///< read and compared with what the snapshot says of them
  std::uint64_t bytes = 0;
  std::vector<std::string> problems = {};  ///< each names the file and what is wrong; empty: the snapshot is sound
};

}  // namespace marigram
