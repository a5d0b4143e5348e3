#include "io/store_folders.h"

#include "base/try.h"
#include "io/object_key.h"

#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::io {
namespace {

/// "a/b/c" gives "", "a", "a/b", "a/b/c".
std::vector<std::string> folders_down_to(const std::string& path) {
  std::vector<std::string> folders = {""};
  if (path.empty()) return folders;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    folders.push_back(path.substr(0, slash));
  }
  folders.push_back(path);
  return folders;
}

}  // namespace

StoreFolders::StoreFolders(std::shared_ptr<FileSystem> files, std::filesystem::path root)
    : files_(std::move(files)), root_(std::move(root)), name_(root_.string()) {}

Result<PutPlace> StoreFolders::open_durably(const std::string& key) {
  const Attempt attempt{"write", key, name_};
  const std::string path(folder_of(key));
  if (auto tree = files_->open_tree(root_)) {
    if (auto folder = (*tree)->open_folder(path)) {
      MARIGRAM_ASSIGN(const FileStat stat, explain((*folder)->stat(), attempt));
      if (lasts(path, stat.inode)) return PutPlace{std::move(*tree), std::move(*folder)};
    }
  } else if (tree.error() == Errno{ENOENT}) {
    MARIGRAM_TRY(explain(make_root(root_), attempt));
  }

  MARIGRAM_ASSIGN(std::unique_ptr<Tree> tree, explain(files_->open_tree(root_), attempt));
  MARIGRAM_TRY(sync_above_root(attempt));
  std::map<std::string, std::uint64_t> done;
  std::unique_ptr<Folder> folder;
  for (const std::string& level : folders_down_to(path)) {
    MARIGRAM_ASSIGN(std::unique_ptr<Folder> below, open_or_make(*tree, level, attempt));
    if (folder) MARIGRAM_TRY(sync(*folder, attempt));  // the name of `below`
    folder = std::move(below);
    MARIGRAM_ASSIGN(const FileStat stat, explain(folder->stat(), attempt));
    done[level] = stat.inode;
  }
  const std::scoped_lock lock(mutex_);
  for (auto& [level, inode] : done) lasting_[level] = inode;
  return PutPlace{std::move(tree), std::move(folder)};
}

FileStatus StoreFolders::make_root(const std::filesystem::path& path) const {
  const std::filesystem::path parent = path.parent_path();
  auto tree = files_->open_tree(parent);
  if (!tree && tree.error() == Errno{ENOENT} && parent != path) {
    MARIGRAM_TRY(make_root(parent));
    tree = files_->open_tree(parent);
  }
  if (!tree) return std::unexpected(tree.error());
  MARIGRAM_ASSIGN(const std::unique_ptr<Folder> folder, (*tree)->open_folder(""));
  const FileStatus made = folder->make_folder(path.filename().string());
  if (!made && made.error() != Errno{EEXIST}) return made;
  return {};
}

/// The root and each folder above it may have been made by a writer that was killed before it synced; ours to sync if
/// they can be opened, and not ours to have made if they cannot.
Status StoreFolders::sync_above_root(const Attempt& attempt) {
  for (std::filesystem::path path = root_; path != path.parent_path();) {
    path = path.parent_path();
    MARIGRAM_ASSIGN(const std::unique_ptr<Tree> tree, explain(files_->open_tree(path), attempt));
    auto opened = tree->open_folder("");
    if (!opened && opened.error() == Errno{EACCES}) return {};
    MARIGRAM_ASSIGN(const std::unique_ptr<Folder> folder, explain(std::move(opened), attempt));
    MARIGRAM_TRY(sync(*folder, attempt));
  }
  return {};
}

Result<std::unique_ptr<Folder>> StoreFolders::open_or_make(const Tree& tree, const std::string& path,
                                                           const Attempt& attempt) {
  auto folder = tree.open_folder(path);
  if (!folder && folder.error() == Errno{ENOENT} && !path.empty()) {
    MARIGRAM_ASSIGN(const auto parent, explain(tree.open_folder(std::string(folder_of(path))), attempt));
    const FileStatus made = parent->make_folder(std::string(name_of(path)));
    if (made || made.error() == Errno{EEXIST}) {
      folder = tree.open_folder(path);
    } else {
      folder = std::unexpected(made.error());
    }
  }
  if (!folder && folder.error() == Errno{ENOTDIR}) {
    return std::unexpected(
        storage_error(ErrorCode::kInvalidInput, attempt,
                      "a part of the key is an object; want a key that is not below another object"));
  }
  return explain(std::move(folder), attempt);
}

bool StoreFolders::lasts(const std::string& path, std::uint64_t inode) const {
  const std::scoped_lock lock(mutex_);
  const auto found = lasting_.find(path);
  return found != lasting_.end() && found->second == inode;
}

Status StoreFolders::check_trusted(const Attempt& attempt) const {
  if (!sync_failed_.load()) return {};
  return std::unexpected(
      storage_error(ErrorCode::kIo, attempt,
                    "an earlier sync to stable storage failed, so what was written since may be lost; "
                    "check the disk, then open the store again"));
}

Status StoreFolders::judge(FileStatus synced, const Attempt& attempt) {
  if (synced) return {};
  if (code_of(synced.error()) != ErrorCode::kResourceExhausted) sync_failed_.store(true);
  return explain(std::move(synced), {"sync", attempt.key, attempt.store});
}

Status StoreFolders::check_writable() const {
  const Attempt attempt{"write to", "", name_};
  MARIGRAM_TRY(check_trusted(attempt));
  std::filesystem::path path = root_;
  auto tree = files_->open_tree(path);
  while (!tree && tree.error() == Errno{ENOENT} && path != path.parent_path()) {
    path = path.parent_path();
    tree = files_->open_tree(path);
  }
  if (!tree) {
    // A file where a folder should be, or a folder that cannot be entered.
    const ErrorCode code = code_of(tree.error());
    Error error = storage_error(tree.error(), attempt);
    error.code = code == ErrorCode::kPermissionDenied ? code : ErrorCode::kIo;
    return std::unexpected(std::move(error));
  }
  return explain((*tree)->check_writable(), attempt);
}

}  // namespace marigram::io
