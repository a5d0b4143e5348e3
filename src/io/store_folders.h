// The folders of one store of files: finding them, making them, and keeping the promise that they last.
//
// A put lasts when its file, the name of the file, and the name of every folder above it are on stable storage. Another
// process may have made a folder and been killed before it synced the parent, so a folder that exists is not yet one
// that lasts: the first put into a folder syncs all folders above it, and this object remembers which are done.
//
// After a sync has failed, the operating system may have dropped what it could not write and report success the next
// time (the error is told once: https://lwn.net/Articles/752063). So a store whose sync failed refuses every further
// change: nothing later could be trusted. Lack of space is the exception: nothing is dropped then.
#pragma once

#include "io/file_system.h"
#include "io/storage_error.h"

#include <marigram/error.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace marigram::io {

/// Where an object is put: the tree for look-ups, and the folder of its key.
struct PutPlace {
  std::unique_ptr<Tree> tree;
  std::unique_ptr<Folder> folder;
};

/// Thread-safe.
class StoreFolders {
 public:
  /// `root` is absolute.
  StoreFolders(std::shared_ptr<FileSystem> files, std::filesystem::path root);

  /// The store's name for messages: its root.
  const std::string& name() const { return name_; }

  /// ENOENT while nothing was put yet.
  FileResult<std::unique_ptr<Tree>> open_tree() const { return files_->open_tree(root_); }
  /// The folder of `key`, made with all above it if need be; the names of all of them last. The key is canonical.
  Result<PutPlace> open_durably(const std::string& key);

  /// kIo after a failed sync.
  Status check_trusted(const Attempt& attempt) const;
  Status sync(File& file, const Attempt& attempt) { return judge(file.sync(), attempt); }
  Status sync(Folder& folder, const Attempt& attempt) { return judge(folder.sync(), attempt); }

  /// As Tree::check_writable, on the root or the nearest folder above it that exists.
  Status check_writable() const;

 private:
  Status judge(FileStatus synced, const Attempt& attempt);
  FileStatus make_root(const std::filesystem::path& path) const;
  Status sync_above_root(const Attempt& attempt);
  Result<std::unique_ptr<Folder>> open_or_make(const Tree& tree, const std::string& path, const Attempt& attempt);
  bool lasts(const std::string& path, std::uint64_t inode) const;

  const std::shared_ptr<FileSystem> files_;
  const std::filesystem::path root_;
  const std::string name_;
  std::atomic<bool> sync_failed_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> lasting_;  // folder to inode; guarded by mutex_
};

}  // namespace marigram::io
