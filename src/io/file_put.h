// One put of a store of files, from the temporary file to the published name. The steps, in this order:
//
//   1. the folder of the key, made if it is missing, and made to last with all above it  (store_folders.h)
//   2. create  .tmp-<uuid>  in that folder
//   3. write
//   4. if_match: lock the folder, compare the object's version
//   5. sync the file
//   6. rename to the key; if_absent: rename without replacing, or link and unlink where that is not supported
//   7. sync the folder
//
// Nobody sees the object before 6, when its content lasts already; 7 makes the name last. On an error, and when it is
// destroyed unpublished, the temporary file goes away again if the file system lets it.
//
// The lock of 4 is taken by if_match alone. It serialises those among each other, which is all they promise: a put
// without a condition, or a remove, may win between the comparison and the rename, as it may just before or after. The
// keys that are put by if_match (the log's CURRENT) are put in no other way by us. The compared version is
// <inode>-<size>-<modified>-<changed>. Inode numbers are reused, and a file system's clock may tick only every 10 ms,
// so a put that replaces sets its modification time past that of what it replaces: versions of a key do not come back.
#pragma once

#include "io/file_system.h"
#include "io/object_store.h"
#include "io/store_folders.h"

#include <marigram/error.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace marigram::io {

std::string version_of(const FileStat& stat);
ObjectInfo info_of(std::string key, const FileStat& stat);

/// Puts an open file under a key that has no object, as a second name of it: steps 1, 5 and 7 with a link in place of
/// 6. False: the file system cannot do that for this file. kAlreadyExists, of a name that lasts.
Result<bool> put_link(StoreFolders& folders, const std::string& key, File& file);

/// Not thread-safe; several may go on at once.
class FilePut {
 public:
  /// The key is canonical; `folders` is borrowed.
  static Result<FilePut> begin(StoreFolders& folders, std::string key, PutCondition condition);
  FilePut(FilePut&&) = default;
  FilePut& operator=(FilePut&&) = delete;
  ~FilePut();

  Status write(std::span<const std::byte> bytes);
  /// kAlreadyExists or kConflict if the condition does not hold. The name that kAlreadyExists is about lasts. Once.
  Result<ObjectInfo> publish();

 private:
  FilePut(StoreFolders& folders, std::string key, PutCondition condition, PutPlace place, std::string temporary,
          std::unique_ptr<File> file);

  Attempt attempt() const;
  Result<ObjectInfo> publish_new();
  Result<ObjectInfo> publish_over(const PutCondition& condition);
  FileStatus rename_new(const std::string& name);
  Result<std::optional<FileStat>> look_at_object() const;
  Status compare(const std::optional<FileStat>& found, const PutCondition& condition) const;
  Status date_after(const FileStat& replaced);
  Result<ObjectInfo> settle();

  StoreFolders* folders_;
  std::string key_;
  PutCondition condition_;
  PutPlace place_;
  std::string temporary_;  // the name of the file while it has one of its own
  std::unique_ptr<File> file_;
};

}  // namespace marigram::io
