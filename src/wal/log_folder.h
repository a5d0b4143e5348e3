// The folder of a log: its files are listed, read, made, recycled and removed here. What is made or recycled is on
// stable storage under its name, with its space, before it is handed out: a record can then be written without asking
// for anything that a full disk could refuse.
#pragma once

#include "io/file_system.h"
#include "wal/format.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace marigram::wal {

/// A file of the log, open for writing. Not thread-safe.
class LogFile {
 public:
  LogFile(const FileHeader& header, std::unique_ptr<io::File> file, std::string folder)
      : header_(header), file_(std::move(file)), folder_(std::move(folder)) {}

  Lsn first() const { return header_.first; }
  Lsn end() const { return header_.end(); }
  std::uint64_t bytes() const { return header_.file_bytes; }

  /// All of `bytes`. After an error some of them may have been written.
  Status write(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Sees to it that there is space for the whole file.
  Status allocate();
  /// What was written is on stable storage.
  Status sync();

 private:
  FileHeader header_;
  std::unique_ptr<io::File> file_;
  std::string folder_;  // for messages
};

/// What a file holds, up to the end that its header tells. What it lacks up to there, if it was cut short, counts as
/// zeros: those it has once it is given its space again.
struct FileImage {
  Lsn first = 0;  ///< says its name
  std::unique_ptr<std::byte[]> data;
  std::size_t size = 0;                           ///< with those zeros
  std::size_t there = 0;                          ///< without
  std::expected<FileHeader, std::string> header;  ///< or what is wrong with it

  std::span<const std::byte> bytes() const { return {data.get(), size}; }
};

/// Not thread-safe.
class LogFolder {
 public:
  /// `path` is absolute. kNotFound if there is no such folder.
  static Result<LogFolder> open(const io::FileSystem& files, const std::filesystem::path& path);

  const std::string& name() const { return name_; }

  /// First LSNs of the log's files, ascending. Other names are passed over.
  Result<std::vector<Lsn>> list() const;
  /// The header of a file, or what is wrong with it.
  Result<std::expected<FileHeader, std::string>> read_header(Lsn first) const;
  /// Memory: the file's size, at most kFileBytesMax.
  Result<FileImage> read(Lsn first) const;

  /// An existing file.
  Result<std::shared_ptr<LogFile>> open_file(const FileHeader& header);
  /// A new file; replaces one of the same name. On an error nothing remains of it, if the file system lets that be.
  Result<std::shared_ptr<LogFile>> make_file(const FileHeader& header);
  /// The same from a file that is no longer needed.
  Result<std::shared_ptr<LogFile>> recycle_file(Lsn old, const FileHeader& header);
  /// Also if it is gone already.
  Status remove_file(Lsn first);
  Status sync();

 private:
  LogFolder(std::unique_ptr<io::Tree> tree, std::unique_ptr<io::Folder> folder, std::string name)
      : tree_(std::move(tree)), folder_(std::move(folder)), name_(std::move(name)) {}

  Result<std::unique_ptr<io::File>> open_for_reading(Lsn first) const;
  Result<std::unique_ptr<io::File>> create(const std::string& name);
  Result<std::shared_ptr<LogFile>> furnish(const FileHeader& header, std::unique_ptr<io::File> file);

  std::unique_ptr<io::Tree> tree_;
  std::unique_ptr<io::Folder> folder_;
  std::string name_;
};

}  // namespace marigram::wal
