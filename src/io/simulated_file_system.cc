#include "io/simulated_file_system.h"

#include "base/clock.h"
#include "base/try.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace marigram::io {
namespace {

using FilePointer = std::shared_ptr<SimulatedFileData>;
using FolderPointer = std::shared_ptr<SimulatedFolderData>;
using Lock = std::unique_lock<std::mutex>;

std::unexpected<Errno> refuse(int error) {
  return std::unexpected(Errno{error});
}

class MemoryMapping final : public Mapping {
 public:
  explicit MemoryMapping(std::string bytes) : bytes_(std::move(bytes)) {}
  std::span<const std::byte> bytes() const override { return std::as_bytes(std::span(bytes_)); }
  bool is_whole() const override { return true; }

 private:
  std::string bytes_;
};

FileStat stat_of(const SimulatedNode& node) {
  if (const auto* folder = std::get_if<FolderPointer>(&node)) {
    const SimulatedInode& inode = (*folder)->inode();
    return {FileKind::kFolder, inode.number, 0, inode.modified, inode.changed};
  }
  const FilePointer& file = std::get<FilePointer>(node);
  const SimulatedInode& inode = file->inode();
  return {FileKind::kFile, inode.number, file->seen().size(), inode.modified, inode.changed};
}

void touch(const SimulatedNode& node, Instant now) {
  std::visit([now](const auto& data) { data->inode().changed = now; }, node);
}

}  // namespace

class SimulatedFile final : public File {
 public:
  SimulatedFile(std::shared_ptr<SimulatedFileSystem> files, FilePointer data)
      : files_(std::move(files)), data_(std::move(data)) {}
  ~SimulatedFile() override {
    const Lock lock(files_->mutex_);  // the last name may be gone: then the inode number is given back here
    data_.reset();
  }

  FileResult<FileStat> stat() const override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    return stat_of(data_);
  }

  FileResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    const std::string& seen = data_->seen();
    if (offset >= seen.size()) return 0;
    const std::size_t length = std::min<std::uint64_t>(out.size(), seen.size() - offset);
    std::ranges::copy(std::as_bytes(std::span(seen).subspan(offset, length)), out.begin());
    return length;
  }

  FileResult<std::size_t> write(std::span<const std::byte> bytes) override {
    const Lock lock(files_->mutex_);
    return write_locked(data_->seen().size(), bytes);
  }

  FileResult<std::size_t> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const Lock lock(files_->mutex_);
    return write_locked(offset, bytes);
  }

  FileStatus allocate(std::uint64_t size) override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    if (size == 0) return refuse(EINVAL);
    return files_->step([&] {
      data_->allocate(size);
      data_->inode().modified = data_->inode().changed = files_->clock_.now();
    });
  }

  FileStatus sync() override {
    const Lock lock(files_->mutex_);
    return files_->sync_step(*data_, files_->skip_file_sync_);
  }

  FileStatus sync_content() override { return sync(); }

  FileStatus set_modified(Instant modified) override {
    const Lock lock(files_->mutex_);
    return files_->step([&] {
      data_->inode().modified = modified;
      data_->inode().changed = files_->clock_.now();
    });
  }

  FileResult<std::unique_ptr<Mapping>> map(std::uint64_t size) const override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    return std::make_unique<MemoryMapping>(data_->seen().substr(0, size));
  }

 private:
  friend class SimulatedFolder;

  FileResult<std::size_t> write_locked(std::uint64_t offset, std::span<const std::byte> bytes) {
    std::size_t length = std::min(bytes.size(), SimulatedFileSystem::kWriteMax);
    const SimulatedFileSystem::Fate fate = files_->next_step();
    // A write that fails may have written a beginning; so may one that the power cut short.
    if (fate.error || fate.lights_out) length = files_->fortune_.below(length + 1);
    if (files_->power_ && !fate.dead) {
      data_->write_at(offset, bytes.first(length));
      data_->inode().modified = data_->inode().changed = files_->clock_.now();
    }
    if (fate.lights_out) files_->lose_power();
    if (fate.error || fate.lights_out) return std::unexpected(fate.error.value_or(Errno{EIO}));
    return length;
  }

  const std::shared_ptr<SimulatedFileSystem> files_;
  FilePointer data_;
};

class SimulatedFolderLock final : public FolderLock {
 public:
  SimulatedFolderLock(std::shared_ptr<SimulatedFileSystem> files, FolderPointer data)
      : files_(std::move(files)), data_(std::move(data)) {}
  ~SimulatedFolderLock() override {
    const Lock lock(files_->mutex_);
    data_->locked = false;
    data_.reset();
    files_->unlocked_.notify_all();
  }

 private:
  const std::shared_ptr<SimulatedFileSystem> files_;
  FolderPointer data_;
};

class SimulatedFolder final : public Folder {
 public:
  SimulatedFolder(std::shared_ptr<SimulatedFileSystem> files, FolderPointer data)
      : files_(std::move(files)), data_(std::move(data)) {}
  ~SimulatedFolder() override {
    const Lock lock(files_->mutex_);
    data_.reset();
  }

  FileResult<FileStat> stat() const override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    return stat_of(data_);
  }

  FileResult<std::vector<FolderEntry>> entries() const override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    std::vector<FolderEntry> entries;
    for (const auto& [name, node] : data_->seen()) entries.push_back({name, stat_of(node)});
    std::ranges::reverse(entries);  // nobody may rely on an order
    return entries;
  }

  FileResult<std::unique_ptr<File>> create(const std::string& name) override {
    FilePointer made;
    {
      const Lock lock(files_->mutex_);
      if (!files_->power_) return refuse(EIO);
      if (data_->seen().contains(name)) return refuse(EEXIST);
      MARIGRAM_TRY(files_->step([&] {
        made = std::make_shared<SimulatedFileData>(data_->inode().numbers, files_->clock_.now());
        data_->change({.removed = {}, .added = {{name, made}}});
      }));
    }
    return std::make_unique<SimulatedFile>(files_, std::move(made));
  }

  FileResult<std::unique_ptr<File>> open_for_writing(const std::string& name) override {
    FilePointer found;
    {
      const Lock lock(files_->mutex_);
      MARIGRAM_ASSIGN(const SimulatedNode node, file_named(name));
      found = std::get<FilePointer>(node);
    }
    return std::make_unique<SimulatedFile>(files_, std::move(found));
  }

  FileStatus make_folder(const std::string& name) override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    if (data_->seen().contains(name)) return refuse(EEXIST);
    return files_->step([&] {
      data_->change(
          {.removed = {},
           .added = {{name, std::make_shared<SimulatedFolderData>(data_->inode().numbers, files_->clock_.now())}}});
    });
  }

  FileStatus remove_folder(const std::string& name) override {
    const Lock lock(files_->mutex_);
    MARIGRAM_ASSIGN(const SimulatedNode node, node_named(name));
    const auto* const folder = std::get_if<FolderPointer>(&node);
    if (folder == nullptr) return refuse(ENOTDIR);
    if (!(*folder)->seen().empty()) return refuse(ENOTEMPTY);
    return files_->step([&] { data_->change({.removed = name, .added = {}}); });
  }

  FileStatus rename(const std::string& from, const std::string& to) override { return move(from, to, true, true); }

  FileStatus rename_new(const std::string& from, const std::string& to) override {
    {
      const Lock lock(files_->mutex_);
      if (!files_->rename_new_supported_) return refuse(EINVAL);
    }
    return move(from, to, true, false);
  }

  FileStatus link(const std::string& from, const std::string& to) override { return move(from, to, false, false); }

  FileStatus link_file(const File& file, const std::string& name) override {
    const auto* const opened = dynamic_cast<const SimulatedFile*>(&file);
    if (opened == nullptr || opened->files_ != files_) return refuse(EXDEV);
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    if (!files_->link_file_supported_) return refuse(EPERM);
    if (data_->seen().contains(name)) return refuse(EEXIST);
    return files_->step([&] {
      touch(opened->data_, files_->clock_.now());
      data_->change({.removed = {}, .added = {{name, opened->data_}}});
    });
  }

  FileStatus unlink(const std::string& name) override {
    const Lock lock(files_->mutex_);
    MARIGRAM_ASSIGN(const SimulatedNode node, file_named(name));
    return files_->step([&] {
      touch(node, files_->clock_.now());
      data_->change({.removed = name, .added = {}});
    });
  }

  FileStatus sync() override {
    const Lock lock(files_->mutex_);
    return files_->sync_step(*data_, files_->skip_folder_sync_);
  }

  FileResult<std::unique_ptr<FolderLock>> lock() override {
    Lock lock(files_->mutex_);
    files_->unlocked_.wait(lock, [&] { return !data_->locked || !files_->power_; });
    if (!files_->power_) return refuse(EIO);
    data_->locked = true;
    return std::make_unique<SimulatedFolderLock>(files_, data_);
  }

  FileResult<std::unique_ptr<FolderLock>> try_lock() override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    if (data_->locked) return refuse(EWOULDBLOCK);
    data_->locked = true;
    return std::make_unique<SimulatedFolderLock>(files_, data_);
  }

 private:
  FileResult<SimulatedNode> node_named(const std::string& name) const {
    if (!files_->power_) return refuse(EIO);
    const auto found = data_->seen().find(name);
    if (found == data_->seen().end()) return refuse(ENOENT);
    return found->second;
  }

  FileResult<SimulatedNode> file_named(const std::string& name) const {
    MARIGRAM_ASSIGN(SimulatedNode node, node_named(name));
    if (std::holds_alternative<FolderPointer>(node)) return refuse(EISDIR);
    return node;
  }

  /// Whether what bears a name may be replaced by `node`.
  static FileStatus check_replaceable(const SimulatedNode& there, const SimulatedNode& node) {
    const auto* const folder = std::get_if<FolderPointer>(&there);
    if (std::holds_alternative<FolderPointer>(node)) {
      if (folder == nullptr) return refuse(ENOTDIR);
      if (!(*folder)->seen().empty()) return refuse(ENOTEMPTY);
    } else if (folder != nullptr) {
      return refuse(EISDIR);
    }
    return {};
  }

  /// Gives `from` the name `to`, and takes the old one away if `away`.
  FileStatus move(const std::string& from, const std::string& to, bool away, bool replace) {
    const Lock lock(files_->mutex_);
    MARIGRAM_ASSIGN(const SimulatedNode node, away ? node_named(from) : file_named(from));
    const auto there = data_->seen().find(to);
    if (there != data_->seen().end()) {
      if (!replace) return refuse(EEXIST);
      if (there->second == node) return {};  // two names of one file: rename(2) does nothing
      MARIGRAM_TRY(check_replaceable(there->second, node));
    }
    return files_->step([&] {
      touch(node, files_->clock_.now());
      if (there != data_->seen().end()) touch(there->second, files_->clock_.now());
      data_->change({.removed = away ? std::optional(from) : std::nullopt, .added = {{to, node}}});
    });
  }

  const std::shared_ptr<SimulatedFileSystem> files_;
  FolderPointer data_;
};

class SimulatedTree final : public Tree {
 public:
  SimulatedTree(std::shared_ptr<SimulatedFileSystem> files, FolderPointer data)
      : files_(std::move(files)), data_(std::move(data)) {}
  ~SimulatedTree() override {
    const Lock lock(files_->mutex_);
    data_.reset();
  }

  FileResult<FileStat> stat(const std::string& path) const override {
    const Lock lock(files_->mutex_);
    MARIGRAM_ASSIGN(const SimulatedNode node, files_->find(data_, path));
    return stat_of(node);
  }

  FileResult<std::unique_ptr<File>> open_file(const std::string& path) const override {
    FilePointer file;
    {
      const Lock lock(files_->mutex_);
      MARIGRAM_ASSIGN(const SimulatedNode node, files_->find(data_, path));
      if (std::holds_alternative<FolderPointer>(node)) return refuse(EISDIR);
      file = std::get<FilePointer>(node);
    }
    return std::make_unique<SimulatedFile>(files_, std::move(file));
  }

  FileResult<std::unique_ptr<Folder>> open_folder(const std::string& path) const override {
    FolderPointer folder;
    {
      const Lock lock(files_->mutex_);
      MARIGRAM_ASSIGN(const SimulatedNode node, files_->find(data_, path));
      if (std::holds_alternative<FilePointer>(node)) return refuse(ENOTDIR);
      folder = std::get<FolderPointer>(node);
    }
    return std::make_unique<SimulatedFolder>(files_, std::move(folder));
  }

  /// Files are seen under their keys only when they are written.
  FileResult<bool> is_being_written(const std::string& path) const override {
    MARIGRAM_TRY(stat(path));
    return false;
  }

  FileStatus check_writable() const override {
    const Lock lock(files_->mutex_);
    if (!files_->power_) return refuse(EIO);
    return {};
  }

 private:
  const std::shared_ptr<SimulatedFileSystem> files_;
  FolderPointer data_;
};

SimulatedFileSystem::SimulatedFileSystem(const Clock& clock, FolderPointer root, std::uint64_t seed)
    : clock_(clock), root_(std::move(root)), seed_(seed), fortune_(seed) {}

std::shared_ptr<SimulatedFileSystem> SimulatedFileSystem::make(const Clock& clock) {
  auto root = std::make_shared<SimulatedFolderData>(std::make_shared<InodeNumbers>(), clock.now());
  return std::shared_ptr<SimulatedFileSystem>(new SimulatedFileSystem(clock, std::move(root), 0));
}

std::shared_ptr<SimulatedFileSystem> SimulatedFileSystem::restart() {
  const Lock lock(mutex_);
  lose_power();
  Fortune fortune(seed_);
  return std::shared_ptr<SimulatedFileSystem>(
      new SimulatedFileSystem(clock_, survivors_of(*root_, fortune, clock_.now()), seed_));
}

FileResult<std::unique_ptr<Tree>> SimulatedFileSystem::open_tree(const std::filesystem::path& path) const {
  FolderPointer folder;
  {
    const Lock lock(mutex_);
    MARIGRAM_ASSIGN(const SimulatedNode node, find(root_, path.relative_path().string()));
    if (std::holds_alternative<FilePointer>(node)) return refuse(ENOTDIR);
    folder = std::get<FolderPointer>(node);
  }
  return std::make_unique<SimulatedTree>(std::const_pointer_cast<SimulatedFileSystem>(shared_from_this()),
                                         std::move(folder));
}

FileResult<SimulatedNode> SimulatedFileSystem::find(const FolderPointer& from, std::string_view path) const {
  if (!power_) return refuse(EIO);
  SimulatedNode node = from;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const auto* folder = std::get_if<FolderPointer>(&node);
    if (folder == nullptr) return refuse(ENOTDIR);
    const auto found = (*folder)->seen().find(std::string(path.substr(0, slash)));
    if (found == (*folder)->seen().end()) return refuse(ENOENT);
    node = SimulatedNode(found->second);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return node;
}

SimulatedFileSystem::Fate SimulatedFileSystem::next_step() {
  using Mode = FaultStore::Mode;
  if (!power_) return {.error = Errno{EIO}};
  const std::uint64_t point = points_++;
  if (!fault_ || point < fault_->point) return {};
  const bool for_good = fault_->mode == Mode::kFailSticky || fault_->mode == Mode::kKill;
  if (point > fault_->point && !for_good) return {};
  fired_ = true;
  switch (fault_->mode) {
    case Mode::kFailOnce:
    case Mode::kFailSticky:
      return {.error = Errno{EIO}};
    case Mode::kKill:
      return {.error = Errno{EIO}, .dead = true};
    case Mode::kNoSpaceOnce:
      return {.error = Errno{ENOSPC}};
    case Mode::kPowerCut:
      return {.error = {}, .lights_out = true};
  }
  return {};
}

void SimulatedFileSystem::lose_power() {
  power_ = false;
  unlocked_.notify_all();
}

template <typename Change>
FileStatus SimulatedFileSystem::step(Change change) {
  const Fate fate = next_step();
  if (fate.error) return std::unexpected(*fate.error);
  change();
  if (!fate.lights_out) return {};
  lose_power();
  return refuse(EIO);
}

template <typename Data>
FileStatus SimulatedFileSystem::sync_step(Data& data, bool skip) {
  const Fate fate = next_step();
  if (fate.lights_out) lose_power();  // how far it came is drawn on restart
  if (fate.lights_out || !power_) return refuse(EIO);
  if (fate.error) {
    // Without space nothing is dropped, it is tried again by the next sync; and the dead do not sync.
    if (*fate.error != Errno{ENOSPC} && !fate.dead) data.fail_sync(fortune_);
    return std::unexpected(*fate.error);
  }
  if (!skip) data.sync();
  return {};
}

std::uint64_t SimulatedFileSystem::points() const {
  const Lock lock(mutex_);
  return points_;
}

void SimulatedFileSystem::arm(FaultStore::Mode mode, std::uint64_t point, std::uint64_t seed) {
  const Lock lock(mutex_);
  fault_ = Fault{.mode = mode, .point = points_ + point};
  fired_ = false;
  seed_ = seed;
  fortune_ = Fortune(seed);
}

void SimulatedFileSystem::disarm() {
  const Lock lock(mutex_);
  fault_.reset();
}

bool SimulatedFileSystem::fired() const {
  const Lock lock(mutex_);
  return fired_;
}

void SimulatedFileSystem::skip_file_sync(bool skip) {
  const Lock lock(mutex_);
  skip_file_sync_ = skip;
}

void SimulatedFileSystem::skip_folder_sync(bool skip) {
  const Lock lock(mutex_);
  skip_folder_sync_ = skip;
}

void SimulatedFileSystem::support_rename_new(bool supported) {
  const Lock lock(mutex_);
  rename_new_supported_ = supported;
}

void SimulatedFileSystem::support_link_file(bool supported) {
  const Lock lock(mutex_);
  link_file_supported_ = supported;
}

void SimulatedFileSystem::cut_power() {
  const Lock lock(mutex_);
  lose_power();
}

}  // namespace marigram::io
