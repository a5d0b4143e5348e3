// Who owns a database: the one process, and the one handle in it, that may write.
#pragma once

#include "base/clock.h"
#include "db/storage.h"
#include "io/file_system.h"

#include <marigram/error.h>

#include <memory>

namespace marigram::db {

/// Held until destroyed. The operating system takes the lock back from a process that dies, so no lock is ever stale;
/// what the file OWNER says of the owner is for people. Move-only.
class Owner {
 public:
  /// Makes the folder of the log if it is missing. kConflict says who owns the database.
  static Result<Owner> take(Storage& storage, const Clock& clock);

 private:
  Owner(std::unique_ptr<io::Tree> tree, std::unique_ptr<io::Folder> folder, std::unique_ptr<io::FolderLock> lock)
      : tree_(std::move(tree)), folder_(std::move(folder)), lock_(std::move(lock)) {}

  std::unique_ptr<io::Tree> tree_;
  std::unique_ptr<io::Folder> folder_;
  std::unique_ptr<io::FolderLock> lock_;  // goes first
};

/// The folder of the write-ahead log, below the database's.
inline constexpr const char* kLogFolder = "wal";

}  // namespace marigram::db
