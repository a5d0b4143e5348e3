#include "db/storage.h"

#include "base/try.h"
#include "io/file_store.h"
#include "io/memory_store.h"
#include "io/storage_error.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

namespace marigram::db {
namespace {

class FileStorage final : public Storage {
 public:
  FileStorage(std::shared_ptr<io::FileSystem> files, std::filesystem::path root)
      : files_(std::move(files)), root_(std::move(root)) {}

  std::string name() const override { return root_.string(); }

  std::shared_ptr<io::ObjectStore> store(const std::string& folder) override {
    return io::make_file_store(files_, path(folder));
  }

  std::shared_ptr<io::ObjectStore> elsewhere(const std::string& path) override {
    return io::make_file_store(files_, path);
  }

  Result<std::vector<std::string>> folders(const std::string& folder) const override {
    const std::string store = path(folder).string();
    const io::Attempt attempt{.doing = "list", .key = "", .store = store};
    auto tree = files_->open_tree(path(folder));
    if (!tree && tree.error().value == ENOENT) return std::vector<std::string>();
    MARIGRAM_ASSIGN(const auto root, io::explain(std::move(tree), attempt));
    MARIGRAM_ASSIGN(const auto opened, io::explain(root->open_folder(""), attempt));
    MARIGRAM_ASSIGN(const auto entries, io::explain(opened->entries(), attempt));
    std::vector<std::string> names;
    for (const io::FolderEntry& entry : entries) {
      if (entry.stat.kind == io::FileKind::kFolder) names.push_back(entry.name);
    }
    std::ranges::sort(names);
    return names;
  }

  Status move_folder(const std::string& from, const std::string& to) override {
    const std::filesystem::path target = path(to);
    const std::string store = target.parent_path().string();
    const io::Attempt attempt{.doing = "rename", .key = from, .store = store};
    MARIGRAM_ASSIGN(const auto parent, open_folder(target.parent_path(), attempt));
    const std::string source_name = path(from).filename().string();
    MARIGRAM_TRY(io::explain(rename_new(*parent, source_name, target.filename().string()), attempt));
    return io::explain(parent->sync(), attempt);
  }

  Status remove_folder(const std::string& folder) override {
    const auto files = store(folder);
    MARIGRAM_ASSIGN(const auto objects, files->list(""));
    for (const io::ObjectInfo& object : objects) MARIGRAM_TRY(files->remove(object.key));
    MARIGRAM_TRY(files->sweep_unfinished({.seconds = std::numeric_limits<std::int64_t>::max()}, false));
    const std::filesystem::path gone = path(folder);
    const std::string store_name = root_.string();
    const io::Attempt attempt{.doing = "delete", .key = folder, .store = store_name};
    MARIGRAM_TRY(io::explain(remove_empty(gone), attempt));
    MARIGRAM_ASSIGN(const auto parent, open_folder(gone.parent_path(), attempt));
    return io::explain(parent->sync(), attempt);
  }

  io::FileSystem* files() const override { return files_.get(); }
  std::filesystem::path path(const std::string& folder) const override {
    return folder.empty() ? root_ : root_ / folder;
  }

 private:
  Result<std::unique_ptr<io::Folder>> open_folder(const std::filesystem::path& path, const io::Attempt& attempt) const {
    MARIGRAM_ASSIGN(const auto tree, io::explain(files_->open_tree(path), attempt));
    return io::explain(tree->open_folder(""), attempt);
  }

  /// Where the file system cannot do it at once, whoever names folders of a database owns it.
  static io::FileStatus rename_new(io::Folder& parent, const std::string& from, const std::string& to) {
    io::FileStatus moved = parent.rename_new(from, to);
    if (moved || (moved.error().value != EINVAL && moved.error().value != ENOSYS)) return moved;
    MARIGRAM_ASSIGN(const auto entries, parent.entries());
    const bool taken = std::ranges::any_of(entries, [&](const io::FolderEntry& entry) { return entry.name == to; });
    if (taken) return std::unexpected(io::Errno{EEXIST});
    return parent.rename(from, to);
  }

  /// A folder in which there are only folders.
  io::FileStatus remove_empty(const std::filesystem::path& path) const {
    const auto tree = files_->open_tree(path);
    if (!tree && tree.error() == io::Errno{ENOENT}) return {};
    if (!tree) return std::unexpected(tree.error());
    MARIGRAM_ASSIGN(const auto folder, (*tree)->open_folder(""));
    MARIGRAM_ASSIGN(const auto entries, folder->entries());
    for (const io::FolderEntry& entry : entries) {
      if (entry.stat.kind == io::FileKind::kFolder) MARIGRAM_TRY(remove_empty(path / entry.name));
    }
    MARIGRAM_ASSIGN(const auto outer, files_->open_tree(path.parent_path()));
    MARIGRAM_ASSIGN(const auto parent, outer->open_folder(""));
    return parent->remove_folder(path.filename().string());
  }

  std::shared_ptr<io::FileSystem> files_;
  std::filesystem::path root_;
};

class MemoryStorage final : public Storage {
 public:
  explicit MemoryStorage(const Clock& clock) : clock_(clock) {}

  std::string name() const override { return "memory:"; }

  std::shared_ptr<io::ObjectStore> store(const std::string& folder) override {
    const std::lock_guard lock(mutex_);
    auto& store = stores_[folder];
    if (!store) store = io::make_memory_store(clock_);
    return store;
  }

  std::shared_ptr<io::ObjectStore> elsewhere(const std::string& path) override { return store(path); }

  Result<std::vector<std::string>> folders(const std::string& folder) const override {
    const std::lock_guard lock(mutex_);
    const std::string below = folder + "/";
    std::set<std::string> names;
    for (const auto& [path, store] : stores_) {
      if (path.starts_with(below)) names.insert(path.substr(below.size(), path.find('/', below.size()) - below.size()));
    }
    return std::vector<std::string>(names.begin(), names.end());
  }

  Status move_folder(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    const auto store = stores_.find(from);
    if (store == stores_.end()) return fail(ErrorCode::kNotFound, "cannot rename " + from + ": it is not there");
    if (!stores_.emplace(to, store->second).second) {
      return fail(ErrorCode::kAlreadyExists, "cannot rename " + from + " to " + to + ": that name is taken");
    }
    stores_.erase(store);
    return {};
  }

  Status remove_folder(const std::string& folder) override {
    const std::lock_guard lock(mutex_);
    stores_.erase(folder);
    return {};
  }

  io::FileSystem* files() const override { return nullptr; }
  std::filesystem::path path(const std::string& /*folder*/) const override { return {}; }

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<io::ObjectStore>> stores_;  // guarded by mutex_
};

}  // namespace

std::shared_ptr<io::SplitStore> Storage::split_store(const std::string& folder, std::string_view prefix) {
  // A store outlives the storage that it is of: the environment of a bare table is a store alone.
  return std::make_shared<io::SplitStore>(
      store(folder), std::string(prefix),
      [storage = shared_from_this()](const std::string& path) { return storage->elsewhere(path); });
}

std::shared_ptr<Storage> make_file_storage(std::shared_ptr<io::FileSystem> files, std::filesystem::path root) {
  return std::make_shared<FileStorage>(std::move(files), std::move(root));
}

std::shared_ptr<Storage> make_memory_storage(const Clock& clock) {
  return std::make_shared<MemoryStorage>(clock);
}

}  // namespace marigram::db
