#include "db/storage.h"

#include "base/try.h"
#include "io/file_store.h"
#include "io/memory_store.h"
#include "io/storage_error.h"

#include <algorithm>
#include <cerrno>
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

  io::FileSystem* files() const override { return files_.get(); }
  std::filesystem::path path(const std::string& folder) const override {
    return folder.empty() ? root_ : root_ / folder;
  }

 private:
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

  Result<std::vector<std::string>> folders(const std::string& folder) const override {
    const std::lock_guard lock(mutex_);
    const std::string below = folder + "/";
    std::set<std::string> names;
    for (const auto& [path, store] : stores_) {
      if (path.starts_with(below)) names.insert(path.substr(below.size(), path.find('/', below.size()) - below.size()));
    }
    return std::vector<std::string>(names.begin(), names.end());
  }

  io::FileSystem* files() const override { return nullptr; }
  std::filesystem::path path(const std::string& /*folder*/) const override { return {}; }

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<io::ObjectStore>> stores_;  // guarded by mutex_
};

}  // namespace

std::shared_ptr<Storage> make_file_storage(std::shared_ptr<io::FileSystem> files, std::filesystem::path root) {
  return std::make_shared<FileStorage>(std::move(files), std::move(root));
}

std::shared_ptr<Storage> make_memory_storage(const Clock& clock) {
  return std::make_shared<MemoryStorage>(clock);
}

}  // namespace marigram::db
