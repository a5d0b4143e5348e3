#include "io/new_folder.h"

#include "base/hash.h"
#include "base/try.h"
#include "io/local_store.h"
#include "io/posix_file_system.h"
#include "io/storage_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace marigram::io {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> is_taken(const fs::path& path) {
  return fail(
      ErrorCode::kAlreadyExists,
      fmt::format("cannot write {}: it is there, and not empty; want a folder that does not exist", path.string()));
}

}  // namespace

NewFolder::NewFolder(fs::path path, fs::path temporary, std::shared_ptr<ObjectStore> store)
    : path_(std::move(path)), temporary_(std::move(temporary)), store_(std::move(store)) {}

NewFolder::NewFolder(NewFolder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})), store_(std::move(other.store_)) {}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Result<NewFolder> NewFolder::create(const fs::path& path) {
  MARIGRAM_ASSIGN(fs::path absolute, absolute_path(path));
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "a/b/" is "a/b"
  std::error_code error;
  if (!fs::is_directory(absolute.parent_path(), error)) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot write {}: folder {} does not exist", path.string(),
                                                  absolute.parent_path().string()));
  }
  if (fs::exists(absolute, error) && !(fs::is_directory(absolute, error) && fs::is_empty(absolute, error))) {
    return is_taken(path);
  }
  fs::path temporary = absolute.parent_path() / (".tmp-" + random_uuid());
  MARIGRAM_ASSIGN(auto store, make_local_store(temporary));
  return NewFolder(std::move(absolute), std::move(temporary), std::move(store));
}

Status NewFolder::publish() {
  const std::string name = path_.filename().string();
  const std::string parent = path_.parent_path().string();
  const Attempt attempt{.doing = "make", .key = name, .store = parent};
  MARIGRAM_ASSIGN(const auto tree, explain(make_posix_file_system()->open_tree(parent), attempt));
  MARIGRAM_ASSIGN(const auto folder, explain(tree->open_folder(""), attempt));
  // To rename a folder never replaces one that holds something.
  const FileStatus renamed = folder->rename(temporary_.filename().string(), name);
  if (!renamed &&
      (renamed.error() == Errno{ENOTEMPTY} || renamed.error() == Errno{EEXIST} || renamed.error() == Errno{ENOTDIR})) {
    return is_taken(path_);
  }
  MARIGRAM_TRY(explain(renamed, attempt));
  temporary_.clear();
  return explain(folder->sync(), attempt);
}

}  // namespace marigram::io
