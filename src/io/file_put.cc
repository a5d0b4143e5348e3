#include "io/file_put.h"

#include "base/try.h"
#include "io/object_key.h"
#include "io/storage_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace marigram::io {
namespace {

/// The next nanosecond, or `seconds` later.
Instant later(Instant instant, std::int64_t seconds) {
  if (seconds > 0) return {instant.seconds + seconds, 0};
  return instant.nanos == 999'999'999 ? Instant{instant.seconds + 1, 0} : Instant{instant.seconds, instant.nanos + 1};
}

Error is_folder(const Attempt& attempt) {
  return storage_error(ErrorCode::kInvalidInput, attempt,
                       "it is a folder of other objects; want a key that has none below it");
}

Error is_taken(const Attempt& attempt) {
  return storage_error(ErrorCode::kAlreadyExists, attempt, "an object of that key exists");
}

/// What says of a link that it cannot be, though a copy can.
bool is_no_link(Errno error) {
  constexpr std::array kErrors = {EXDEV, EPERM, EACCES, EMLINK, ENOENT, ENOSYS, EOPNOTSUPP};
  return std::ranges::find(kErrors, error.value) != kErrors.end();
}

}  // namespace

std::string version_of(const FileStat& stat) {
  return fmt::format("{:x}-{:x}-{}.{:09}-{}.{:09}", stat.inode, stat.size, stat.modified.seconds, stat.modified.nanos,
                     stat.changed.seconds, stat.changed.nanos);
}

ObjectInfo info_of(std::string key, const FileStat& stat) {
  return {.key = std::move(key), .size = stat.size, .modified = stat.modified, .version = version_of(stat)};
}

Result<bool> put_link(StoreFolders& folders, const std::string& key, File& file) {
  const Attempt attempt{"write", key, folders.name()};
  MARIGRAM_TRY(folders.check_trusted(attempt));
  MARIGRAM_ASSIGN(const PutPlace place, folders.open_durably(key));
  MARIGRAM_TRY(folders.sync(file, attempt));  // whoever wrote it may not have
  const FileStatus linked = place.folder->link_file(file, std::string(name_of(key)));
  if (!linked && is_no_link(linked.error())) return false;
  if (!linked && linked.error() != Errno{EEXIST}) return std::unexpected(storage_error(linked.error(), attempt));
  if (!linked) {
    const FileResult<FileStat> found = place.tree->stat(key);
    if (found && found->kind == FileKind::kFolder) return std::unexpected(is_folder(attempt));
  }
  MARIGRAM_TRY(folders.sync(*place.folder, attempt));  // also of a name that was taken, as in publish_new
  if (!linked) return std::unexpected(is_taken(attempt));
  return true;
}

Result<FilePut> FilePut::begin(StoreFolders& folders, std::string key, PutCondition condition) {
  const Attempt attempt{"write", key, folders.name()};
  MARIGRAM_TRY(folders.check_trusted(attempt));
  MARIGRAM_ASSIGN(PutPlace place, folders.open_durably(key));
  std::string temporary = make_temporary_name();
  MARIGRAM_ASSIGN(std::unique_ptr<File> file, explain(place.folder->create(temporary), attempt));
  return FilePut(folders, std::move(key), std::move(condition), std::move(place), std::move(temporary),
                 std::move(file));
}

FilePut::FilePut(StoreFolders& folders, std::string key, PutCondition condition, PutPlace place, std::string temporary,
                 std::unique_ptr<File> file)
    : folders_(&folders),
      key_(std::move(key)),
      condition_(std::move(condition)),
      place_(std::move(place)),
      temporary_(std::move(temporary)),
      file_(std::move(file)) {}

FilePut::~FilePut() {
  if (!file_ || temporary_.empty()) return;  // moved from, or published
  // If the file stays after all, sweep_unfinished finds it.
  [[maybe_unused]] const FileStatus gone = place_.folder->unlink(temporary_);
}

Attempt FilePut::attempt() const {
  return {"write", key_, folders_->name()};
}

Status FilePut::write(std::span<const std::byte> bytes) {
  constexpr std::size_t kPieceMax = std::size_t{1} << 30;  // Linux writes less than 2 GiB at once
  while (!bytes.empty()) {
    MARIGRAM_ASSIGN(const std::size_t written,
                    explain(file_->write(bytes.first(std::min(bytes.size(), kPieceMax))), attempt()));
    if (written == 0 || written > bytes.size()) {
      return std::unexpected(storage_error(Errno{EIO}, attempt()));
    }
    bytes = bytes.subspan(written);
  }
  return {};
}

Result<ObjectInfo> FilePut::publish() {
  MARIGRAM_TRY(folders_->check_trusted(attempt()));
  switch (condition_.kind) {
    case PutCondition::Kind::kIfAbsent:
      return publish_new();
    case PutCondition::Kind::kNone:
      return publish_over(condition_);
    case PutCondition::Kind::kIfMatch: {
      MARIGRAM_ASSIGN(const auto lock, explain(place_.folder->lock(), {"lock the folder of", key_, folders_->name()}));
      return publish_over(condition_);
    }
  }
  return fail(ErrorCode::kInternal, "unknown kind of put condition");
}

Result<ObjectInfo> FilePut::publish_new() {
  MARIGRAM_TRY(folders_->sync(*file_, attempt()));
  const FileStatus renamed = rename_new(std::string(name_of(key_)));
  if (!renamed && renamed.error() == Errno{EEXIST}) {
    // Whoever is told so may read the object, recognise it as their own and rely on it: its name must last.
    MARIGRAM_TRY(look_at_object());
    MARIGRAM_TRY(folders_->sync(*place_.folder, attempt()));
    return std::unexpected(is_taken(attempt()));
  }
  MARIGRAM_TRY(explain(renamed, attempt()));
  return settle();
}

FileStatus FilePut::rename_new(const std::string& name) {
  const FileStatus renamed = place_.folder->rename_new(temporary_, name);
  if (renamed) {
    temporary_.clear();
    return {};
  }
  if (renamed.error() != Errno{EINVAL} && renamed.error() != Errno{ENOSYS}) return renamed;
  MARIGRAM_TRY(place_.folder->link(temporary_, name));
  return place_.folder->unlink(std::exchange(temporary_, {}));
}

Result<ObjectInfo> FilePut::publish_over(const PutCondition& condition) {
  MARIGRAM_ASSIGN(const std::optional<FileStat> found, look_at_object());
  MARIGRAM_TRY(compare(found, condition));
  if (found) MARIGRAM_TRY(date_after(*found));
  MARIGRAM_TRY(folders_->sync(*file_, attempt()));
  MARIGRAM_TRY(explain(place_.folder->rename(temporary_, std::string(name_of(key_))), attempt()));
  temporary_.clear();
  return settle();
}

/// What the key holds now, if anything. kInvalidInput if it is a folder.
Result<std::optional<FileStat>> FilePut::look_at_object() const {
  const FileResult<FileStat> found = place_.tree->stat(key_);
  if (!found && found.error() == Errno{ENOENT}) return std::nullopt;
  MARIGRAM_ASSIGN(const FileStat stat, explain(found, attempt()));
  if (stat.kind == FileKind::kFolder) return std::unexpected(is_folder(attempt()));
  return stat;
}

Status FilePut::compare(const std::optional<FileStat>& found, const PutCondition& condition) const {
  if (condition.kind != PutCondition::Kind::kIfMatch) return {};
  if (found && version_of(*found) == condition.version) return {};
  return std::unexpected(storage_error(ErrorCode::kConflict, attempt(),
                                       fmt::format("another version is there; got {}, want {}",
                                                   found ? version_of(*found) : "none", condition.version)));
}

/// Sees to it that the new file's modification time is later than that of the one it replaces.
Status FilePut::date_after(const FileStat& replaced) {
  // Some file systems keep whole seconds, or even ones: where a nanosecond gets lost, three seconds do not.
  for (const std::int64_t seconds : {0, 3}) {
    MARIGRAM_ASSIGN(const FileStat stat, explain(file_->stat(), attempt()));
    if (stat.modified > replaced.modified) return {};
    MARIGRAM_TRY(explain(file_->set_modified(later(replaced.modified, seconds)), attempt()));
  }
  return {};
}

/// Makes the new name last.
Result<ObjectInfo> FilePut::settle() {
  MARIGRAM_TRY(folders_->sync(*place_.folder, attempt()));
  MARIGRAM_ASSIGN(const FileStat stat, explain(file_->stat(), attempt()));
  return info_of(key_, stat);
}

}  // namespace marigram::io
