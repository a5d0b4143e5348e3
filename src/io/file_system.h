// What a store of files asks of a file system, call by call. There are two: the machine's (posix_file_system.h), and a
// simulated disk that loses power (simulated_file_system.h). The store's code runs over either and cannot tell, so the
// sequence of steps that the crash tests cut short is the one that runs in production.
//
// Paths given to a Tree are relative, joined by `/`; "" is the tree itself. Symbolic links are followed as long as they
// stay inside the tree: one that leads outside, or is absolute, is EXDEV. Names given to a Folder are single parts.
// Errors are errno values. No object here is thread-safe unless it says so.
#pragma once

#include "io/object_store.h"

#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::io {

/// An errno value.
struct Errno {
  int value = 0;
  friend bool operator==(const Errno&, const Errno&) = default;
};

template <typename T>
using FileResult = std::expected<T, Errno>;
using FileStatus = FileResult<void>;

enum class FileKind { kFile, kFolder, kLink, kOther };

struct FileStat {
  FileKind kind = FileKind::kOther;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  Instant modified;
  Instant changed;  ///< of content, names or attributes
};

/// An open file. Closed when destroyed; it lives on while it is open, whatever happens to its names.
class File {
 public:
  virtual ~File() = default;
  virtual FileResult<FileStat> stat() const = 0;
  /// Fills `out` from `offset` and returns how much there was; fewer bytes than asked mean the end. Thread-safe.
  virtual FileResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
  /// Appends a beginning of `bytes` and returns its length, at least 1 if `bytes` is not empty. For a file that was
  /// made by create() and is written in no other way.
  virtual FileResult<std::size_t> write(std::span<const std::byte> bytes) = 0;
  /// Writes a beginning of `bytes` at `offset` and returns its length, at least 1 if `bytes` is not empty. The file
  /// grows if need be; what lies between its old end and `offset` reads as zeros.
  virtual FileResult<std::size_t> write_at(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  /// The file has at least `size` > 0 bytes and space for the first `size` of them; those never written read as zeros.
  /// ENOSPC if there is no such space.
  virtual FileStatus allocate(std::uint64_t size) = 0;
  /// Content, size and times are on stable storage when it returns.
  virtual FileStatus sync() = 0;
  /// Content and size are; times may come later, which spares a write of their own.
  virtual FileStatus sync_content() = 0;
  virtual FileStatus set_modified(Instant modified) = 0;
  /// The first `size` bytes. Thread-safe.
  virtual FileResult<std::unique_ptr<Mapping>> map(std::uint64_t size) const = 0;
};

struct FolderEntry {
  std::string name;
  FileStat stat;  ///< of a symbolic link, the link's own
};

/// Held until destroyed. Excludes other locks of the same folder, in this process and others.
class FolderLock {
 public:
  virtual ~FolderLock() = default;
};

/// A folder opened for changes. Every change of names is atomic, and on stable storage after sync().
class Folder {
 public:
  virtual ~Folder() = default;
  virtual FileResult<FileStat> stat() const = 0;
  /// All but `.` and `..`, in any order. What disappears meanwhile is left out.
  virtual FileResult<std::vector<FolderEntry>> entries() const = 0;
  /// A new file, open for writing. EEXIST if the name is taken.
  virtual FileResult<std::unique_ptr<File>> create(const std::string& name) = 0;
  /// An existing file, open for reading and for write_at. ENOENT if there is none, EISDIR if it is a folder.
  virtual FileResult<std::unique_ptr<File>> open_for_writing(const std::string& name) = 0;
  /// EEXIST if the name is taken.
  virtual FileStatus make_folder(const std::string& name) = 0;
  /// ENOTEMPTY unless it is empty, ENOTDIR if it is no folder.
  virtual FileStatus remove_folder(const std::string& name) = 0;
  /// Replaces what bears the name `to`: a file a file, a folder an empty one.
  virtual FileStatus rename(const std::string& from, const std::string& to) = 0;
  /// EEXIST if `to` is taken; EINVAL or ENOSYS where the file system cannot do this.
  virtual FileStatus rename_new(const std::string& from, const std::string& to) = 0;
  /// A second name for a file. EEXIST if it is taken.
  virtual FileStatus link(const std::string& from, const std::string& to) = 0;
  /// A name here for a file that is open and lies anywhere. EEXIST if it is taken; EXDEV, EPERM, EMLINK or ENOENT (the
  /// file has lost its last name) where this cannot be.
  virtual FileStatus link_file(const File& file, const std::string& name) = 0;
  virtual FileStatus unlink(const std::string& name) = 0;
  virtual FileStatus sync() = 0;
  /// Waits for the lock. To be asked once per open folder; the folder outlives the lock.
  virtual FileResult<std::unique_ptr<FolderLock>> lock() = 0;
  /// The same without waiting: EWOULDBLOCK if somebody has it. It goes with the process that has it.
  virtual FileResult<std::unique_ptr<FolderLock>> try_lock() = 0;
};

/// A folder as the root of look-ups that cannot leave it.
class Tree {
 public:
  virtual ~Tree() = default;
  virtual FileResult<FileStat> stat(const std::string& path) const = 0;
  /// For reading.
  virtual FileResult<std::unique_ptr<File>> open_file(const std::string& path) const = 0;
  virtual FileResult<std::unique_ptr<Folder>> open_folder(const std::string& path) const = 0;
  /// Whether somebody has the file open for writing; true also if that cannot be found out.
  virtual FileResult<bool> is_being_written(const std::string& path) const = 0;
  /// EACCES, EROFS and the like unless names could be made in the tree's own folder.
  virtual FileStatus check_writable() const = 0;
};

/// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// `path` is absolute; symbolic links in it are followed.
  virtual FileResult<std::unique_ptr<Tree>> open_tree(const std::filesystem::path& path) const = 0;
};

}  // namespace marigram::io
