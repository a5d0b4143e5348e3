// A folder that appears under its name with all that was put into it, or not at all.
#pragma once

#include "io/object_store.h"

#include <marigram/error.h>

#include <filesystem>
#include <memory>
#include <string>

namespace marigram::io {

/// Files go to `.tmp-<uuid>` beside the folder's place, each of them durably, and the whole takes its name at the end.
/// A program that is killed before leaves that. Not thread-safe.
class NewFolder {
 public:
  /// kAlreadyExists: something is there, other than an empty folder; kNotFound: the folder it is to be in is not.
  static Result<NewFolder> create(const std::filesystem::path& path);
  ~NewFolder();  ///< takes everything away unless publish() succeeded
  NewFolder(NewFolder&&) noexcept;
  NewFolder& operator=(NewFolder&&) = delete;

  ObjectStore& store() { return *store_; }
  /// Durable when it returns. kAlreadyExists: somebody was quicker.
  Status publish();

 private:
  NewFolder(std::filesystem::path path, std::filesystem::path temporary, std::shared_ptr<ObjectStore> store);

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty: it has its name
  std::shared_ptr<ObjectStore> store_;
};

}  // namespace marigram::io
