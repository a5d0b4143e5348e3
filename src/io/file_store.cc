#include "io/file_store.h"

#include "base/try.h"
#include "io/file_put.h"
#include "io/link_object.h"
#include "io/object_key.h"
#include "io/storage_error.h"
#include "io/store_folders.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

namespace marigram::io {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// A put that finds its folder gone has not failed to find its object.
template <typename T>
Result<T> as_put(Result<T> result) {
  if (!result && result.error().code == ErrorCode::kNotFound) result.error().code = ErrorCode::kIo;
  return result;
}

class ReadableFile final : public ReadableObject {
 public:
  ReadableFile(std::shared_ptr<StoreFolders> folders, std::string key, std::unique_ptr<File> file, std::uint64_t size)
      : folders_(std::move(folders)), key_(std::move(key)), file_(std::move(file)), size_(size) {}

  std::uint64_t size() const override { return size_; }
  File& file() const { return *file_; }

  Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    const Attempt attempt{"read", key_, folders_->name()};
    if (offset > size_ || out.size() > size_ - offset) return ends_early(offset, out.size());
    MARIGRAM_ASSIGN(const std::size_t got, explain(file_->read_at(offset, out), attempt));
    if (got != out.size()) return ends_early(offset, out.size());
    return {};
  }

  Result<std::unique_ptr<Mapping>> map() const override {
    return explain(file_->map(size_), {"map", key_, folders_->name()});
  }

 private:
  Status ends_early(std::uint64_t offset, std::size_t length) const;

  const std::shared_ptr<StoreFolders> folders_;
  const std::string key_;
  const std::unique_ptr<File> file_;
  const std::uint64_t size_;
};

Status ReadableFile::ends_early(std::uint64_t offset, std::size_t length) const {
  return std::unexpected(storage_error(ErrorCode::kCorruption, {"read", key_, folders_->name()},
                                       "it ends too early; got " + std::to_string(size_) + " bytes, want " +
                                           std::to_string(length) + " from byte " + std::to_string(offset)));
}

/// Gathers small pieces, so that a writer of columns need not.
class WritableFile final : public WritableObject {
 public:
  WritableFile(std::shared_ptr<StoreFolders> folders, FilePut put)
      : folders_(std::move(folders)), put_(std::move(put)) {}

  Status write(std::span<const std::byte> bytes) override {
    if (state_.has_value()) MARIGRAM_TRY(state());
    if (buffer_.size() + bytes.size() < kBufferBytes) {
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
      return {};
    }
    MARIGRAM_TRY(remember(flush()));
    if (bytes.size() >= kBufferBytes) return remember(put_.write(bytes));
    buffer_.assign(bytes.begin(), bytes.end());
    return {};
  }

  Status finish() override {
    if (state_.has_value()) MARIGRAM_TRY(state());
    MARIGRAM_TRY(remember(flush()));
    const Result<ObjectInfo> published = as_put(put_.publish());
    state_ = published ? Status(fail(ErrorCode::kInternal, "cannot write an object: it is finished"))
                       : Status(std::unexpected(published.error()));
    return published ? Status() : state();
  }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

  Status flush() {
    const Status written = put_.write(buffer_);
    buffer_.clear();
    return written;
  }

  /// After a failed write the object can only be discarded.
  Status remember(Status status) {
    if (!status) state_ = status;
    return status;
  }

  Status state() const { return *state_; }

  std::shared_ptr<StoreFolders> folders_;  // the put borrows it
  FilePut put_;
  std::vector<std::byte> buffer_;
  std::optional<Status> state_;  // set once nothing more can be written: why
};

class FileStore final : public ObjectStore, public LinkingStore {
 public:
  FileStore(std::shared_ptr<FileSystem> files, std::filesystem::path root)
      : folders_(std::make_shared<StoreFolders>(std::move(files), std::move(root))) {}

  std::string name() const override { return folders_->name(); }
  Result<ObjectInfo> head(std::string_view key) const override;
  Result<ObjectContent> read(std::string_view key) const override;
  Result<std::unique_ptr<ReadableObject>> open(std::string_view key) const override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) const override;
  Result<ObjectInfo> put(std::string_view key, std::string_view bytes, const PutCondition& condition) override;
  Result<std::unique_ptr<WritableObject>> create(std::string_view key, const PutCondition& condition) override;
  Status remove(std::string_view key) override;
  Result<bool> in_use(std::string_view key) const override;
  Result<std::vector<ObjectInfo>> sweep_unfinished(Instant cutoff, bool dry_run) override;
  Status check_writable() const override { return folders_->check_writable(); }
  Result<bool> link(std::string_view key, const ReadableObject& object) override;

 private:
  struct OpenFile {
    std::unique_ptr<File> file;
    FileStat stat;
  };
  /// What is called for each folder: its path ("" for the root), the folder, and its entries.
  using Visit = std::function<Status(const std::string&, Folder&, const std::vector<FolderEntry>&)>;

  Attempt attempt(std::string_view doing, std::string_view key) const { return {doing, key, folders_->name()}; }
  Result<std::unique_ptr<Tree>> open_tree(const Attempt& attempt) const;
  Result<FileStat> stat_object(const Tree& tree, const std::string& key, const Attempt& attempt) const;
  Result<OpenFile> open_object(std::string_view key) const;
  Status visit_folders(const Tree& tree, std::string_view top, const Visit& visit) const;
  std::optional<ObjectInfo> listed(const Tree& tree, std::string key, const FolderEntry& entry) const;

  const std::shared_ptr<StoreFolders> folders_;
};

std::string join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

Error not_a_file(const Attempt& attempt) {
  return storage_error(ErrorCode::kNotFound, attempt, "there is no object of that key, but something else");
}

Result<std::unique_ptr<Tree>> FileStore::open_tree(const Attempt& attempt) const {
  return explain(folders_->open_tree(), attempt);
}

Result<FileStat> FileStore::stat_object(const Tree& tree, const std::string& key, const Attempt& attempt) const {
  MARIGRAM_ASSIGN(const FileStat stat, explain(tree.stat(key), attempt));
  if (stat.kind != FileKind::kFile) return std::unexpected(not_a_file(attempt));
  return stat;
}

Result<FileStore::OpenFile> FileStore::open_object(std::string_view key) const {
  MARIGRAM_TRY(check_key(key, folders_->name()));
  const Attempt reading = attempt("read", key);
  MARIGRAM_ASSIGN(const auto tree, open_tree(reading));
  MARIGRAM_ASSIGN(auto file, explain(tree->open_file(std::string(key)), reading));
  MARIGRAM_ASSIGN(const FileStat stat, explain(file->stat(), reading));
  if (stat.kind != FileKind::kFile) return std::unexpected(not_a_file(reading));
  return OpenFile{std::move(file), stat};
}

Result<ObjectInfo> FileStore::head(std::string_view key) const {
  MARIGRAM_TRY(check_key(key, folders_->name()));
  const Attempt looking = attempt("look at", key);
  MARIGRAM_ASSIGN(const auto tree, open_tree(looking));
  MARIGRAM_ASSIGN(const FileStat stat, stat_object(*tree, std::string(key), looking));
  return info_of(std::string(key), stat);
}

Result<ObjectContent> FileStore::read(std::string_view key) const {
  MARIGRAM_ASSIGN(const OpenFile opened, open_object(key));
  const Attempt reading = attempt("read", key);
  ObjectContent content{.bytes = {}, .info = info_of(std::string(key), opened.stat)};
  try {
    content.bytes.resize_and_overwrite(opened.stat.size,
                                       [&](char* /*bytes*/, std::size_t /*size*/) { return opened.stat.size; });
  } catch (const std::exception&) {  // bad_alloc or length_error
    return std::unexpected(storage_error(Errno{ENOMEM}, reading));
  }
  MARIGRAM_ASSIGN(const std::size_t got,
                  explain(opened.file->read_at(0, std::as_writable_bytes(std::span(content.bytes))), reading));
  if (got != opened.stat.size) {
    return std::unexpected(storage_error(ErrorCode::kIo, reading, "it was cut short while being read; retry"));
  }
  return content;
}

Result<std::unique_ptr<ReadableObject>> FileStore::open(std::string_view key) const {
  MARIGRAM_ASSIGN(OpenFile opened, open_object(key));
  return std::make_unique<ReadableFile>(folders_, std::string(key), std::move(opened.file), opened.stat.size);
}

/// Depth first, without following links to folders. A folder that disappears meanwhile is skipped.
Status FileStore::visit_folders(const Tree& tree, std::string_view top, const Visit& visit) const {
  std::vector<std::string> waiting = {std::string(top)};
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    const Attempt listing = attempt("list", path);
    auto opened = tree.open_folder(path);
    if (!opened && (opened.error() == Errno{ENOENT} || opened.error() == Errno{ENOTDIR})) continue;
    MARIGRAM_ASSIGN(const auto folder, explain(std::move(opened), listing));
    MARIGRAM_ASSIGN(const auto entries, explain(folder->entries(), listing));
    MARIGRAM_TRY(visit(path, *folder, entries));
    for (const FolderEntry& entry : entries) {
      std::string below = join(path, entry.name);
      if (entry.stat.kind == FileKind::kFolder && check_key(below, folders_->name()))
        waiting.push_back(std::move(below));
    }
  }
  return {};
}

std::optional<ObjectInfo> FileStore::listed(const Tree& tree, std::string key, const FolderEntry& entry) const {
  if (!check_key(key, folders_->name())) return std::nullopt;
  FileStat stat = entry.stat;
  if (stat.kind == FileKind::kLink) {
    const auto target = tree.stat(key);
    if (!target) return std::nullopt;
    stat = *target;
  }
  if (stat.kind != FileKind::kFile) return std::nullopt;
  return info_of(std::move(key), stat);
}

Result<std::vector<ObjectInfo>> FileStore::list(std::string_view prefix) const {
  MARIGRAM_TRY(check_prefix(prefix, folders_->name()));
  const Attempt listing = attempt("list", prefix);
  std::vector<ObjectInfo> objects;
  auto opened = folders_->open_tree();
  if (!opened && opened.error() == Errno{ENOENT}) return objects;
  MARIGRAM_ASSIGN(const auto tree, explain(std::move(opened), listing));

  if (!prefix.empty()) {
    const auto stat = tree->stat(std::string(prefix));
    if (!stat && code_of(stat.error()) == ErrorCode::kNotFound) return objects;
    MARIGRAM_ASSIGN(const FileStat top, explain(stat, listing));
    if (top.kind == FileKind::kFile) objects.push_back(info_of(std::string(prefix), top));
    if (top.kind != FileKind::kFolder) return objects;
  }
  MARIGRAM_TRY(visit_folders(*tree, prefix, [&](const std::string& path, Folder&, const auto& entries) -> Status {
    for (const FolderEntry& entry : entries) {
      if (auto info = listed(*tree, join(path, entry.name), entry)) objects.push_back(std::move(*info));
    }
    return {};
  }));
  std::ranges::sort(objects, {}, &ObjectInfo::key);
  return objects;
}

Result<ObjectInfo> FileStore::put(std::string_view key, std::string_view bytes, const PutCondition& condition) {
  MARIGRAM_TRY(check_key(key, folders_->name()));
  MARIGRAM_ASSIGN(FilePut file, as_put(FilePut::begin(*folders_, std::string(key), condition)));
  MARIGRAM_TRY(file.write(bytes_of(bytes)));
  return as_put(file.publish());
}

Result<std::unique_ptr<WritableObject>> FileStore::create(std::string_view key, const PutCondition& condition) {
  MARIGRAM_TRY(check_key(key, folders_->name()));
  if (condition.kind == PutCondition::Kind::kIfMatch) {
    return std::unexpected(storage_error(ErrorCode::kInvalidInput, attempt("write", key),
                                         "objects written in pieces take no if_match; use put"));
  }
  MARIGRAM_ASSIGN(FilePut file, as_put(FilePut::begin(*folders_, std::string(key), condition)));
  return std::make_unique<WritableFile>(folders_, std::move(file));
}

Result<bool> FileStore::link(std::string_view key, const ReadableObject& object) {
  MARIGRAM_TRY(check_key(key, folders_->name()));
  const auto* const opened = dynamic_cast<const ReadableFile*>(&object);
  if (opened == nullptr) return false;
  return as_put(put_link(*folders_, std::string(key), opened->file()));
}

Status FileStore::remove(std::string_view key) {
  MARIGRAM_TRY(check_key(key, folders_->name()));
  const Attempt removing = attempt("remove", key);
  MARIGRAM_TRY(folders_->check_trusted(removing));
  MARIGRAM_ASSIGN(const auto tree, open_tree(removing));
  MARIGRAM_TRY(stat_object(*tree, std::string(key), removing));
  MARIGRAM_ASSIGN(const auto folder, explain(tree->open_folder(std::string(folder_of(key))), removing));
  MARIGRAM_TRY(explain(folder->unlink(std::string(name_of(key))), removing));
  return folders_->sync(*folder, removing);
}

Result<bool> FileStore::in_use(std::string_view key) const {
  MARIGRAM_TRY(check_key(key, folders_->name()));
  const Attempt looking = attempt("look at", key);
  MARIGRAM_ASSIGN(const auto tree, open_tree(looking));
  MARIGRAM_TRY(stat_object(*tree, std::string(key), looking));
  return explain(tree->is_being_written(std::string(key)), looking);
}

Result<std::vector<ObjectInfo>> FileStore::sweep_unfinished(Instant cutoff, bool dry_run) {
  const Attempt sweeping = attempt("remove leftovers", "");
  std::vector<ObjectInfo> leftovers;
  if (!dry_run) MARIGRAM_TRY(folders_->check_trusted(sweeping));
  auto opened = folders_->open_tree();
  if (!opened && opened.error() == Errno{ENOENT}) return leftovers;
  MARIGRAM_ASSIGN(const auto tree, explain(std::move(opened), sweeping));

  const auto sweep = [&](const std::string& path, Folder& folder, const std::vector<FolderEntry>& entries) -> Status {
    bool removed = false;
    for (const FolderEntry& entry : entries) {
      const bool old =
          entry.stat.kind == FileKind::kFile && is_temporary_name(entry.name) && entry.stat.modified < cutoff;
      if (!old) continue;
      if (!dry_run) {
        const FileStatus gone = folder.unlink(entry.name);
        if (!gone && gone.error() == Errno{ENOENT}) continue;  // its writer has finished, or another sweep was here
        MARIGRAM_TRY(explain(gone, sweeping));
        removed = true;
      }
      leftovers.push_back(info_of(join(path, entry.name), entry.stat));
    }
    return removed ? folders_->sync(folder, sweeping) : Status();
  };
  MARIGRAM_TRY(visit_folders(*tree, "", sweep));
  std::ranges::sort(leftovers, {}, &ObjectInfo::key);
  return leftovers;
}

}  // namespace

std::shared_ptr<ObjectStore> make_file_store(std::shared_ptr<FileSystem> files, std::filesystem::path root) {
  return std::make_shared<FileStore>(std::move(files), std::move(root));
}

}  // namespace marigram::io
