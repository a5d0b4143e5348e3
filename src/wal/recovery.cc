#include "wal/recovery.h"

#include "base/hash.h"
#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace marigram::wal {
namespace {

LogId random_id() {
  std::string digits = random_uuid();
  std::erase(digits, '-');
  return *parse_id(digits);
}

class Replay {
 public:
  Replay(LogFolder& folder, Lsn start, const std::optional<LogId>& id, const Visit& visit)
      : folder_(folder), start_(start), id_(id), visit_(visit), proven_(start) {}

  Result<Recovered> run();

 private:
  /// The part of a file that was walked.
  struct Stretch {
    FileHeader header;
    std::uint64_t there = 0;  // bytes of the file
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  Result<bool> find_start();
  Result<Recovered> begin_anew();
  Status walk();
  Status take(const Record& record);
  Result<bool> enter_next_file();
  Status check_rest();
  Status check_file_behind(Lsn name, Lsn& next);
  Status refuse_foreign(const FileImage& image) const;
  Status check_against_proof(const FileImage& image, std::uint64_t from);
  void leave_out_empty_file();
  Status remove_files_behind();
  Result<Recovered> settle();
  Status rewrite(const Stretch& stretch, LogFile& file);
  Status cut(LogFile& file);
  std::vector<FileSpan> kept(Lsn end) const;

  std::unexpected<Error> damaged(Lsn file, std::uint64_t offset, std::string_view what) const {
    return std::unexpected(damage(folder_, file, offset, what));
  }

  LogFolder& folder_;
  const Lsn start_;
  const std::optional<LogId> id_;
  const Visit& visit_;

  std::vector<Lsn> names_;    // of all files
  std::size_t index_ = 0;     // in names_, of the file that is walked
  std::size_t kept_ = 0;      // how many of names_ stay
  FileImage image_;           // of that file
  std::uint64_t offset_ = 0;  // in it, behind the last sound record
  bool at_file_end_ = false;  // nothing more can come in it
  Lsn proven_;                // everything before it is on stable storage, says a record
  std::vector<Stretch> walked_;
  std::vector<std::uint64_t> leftovers_;  // offsets in image_
  Lsn files_end_ = 0;                     // of the last file that stays
  Lsn cut_end_ = 0;                       // how far what is cut reached
  Recovery report_;
};

Result<Recovered> Replay::run() {
  if (start_ % kAlignment != 0 || start_ > UINT64_MAX - 2 * kFileBytesMax) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot read the log in {}: records begin at multiples of {}; got a start of {}",
                            folder_.name(), kAlignment, start_));
  }
  MARIGRAM_ASSIGN(names_, folder_.list());
  MARIGRAM_ASSIGN(const bool found, find_start());
  if (!found) return begin_anew();
  MARIGRAM_TRY(walk());
  MARIGRAM_TRY(check_rest());
  return settle();
}

/// Reads the file that holds start_. False if there is none.
Result<bool> Replay::find_start() {
  const auto behind = std::ranges::upper_bound(names_, start_);
  kept_ = static_cast<std::size_t>(behind - names_.begin());
  if (kept_ == 0) return false;
  index_ = kept_ - 1;
  MARIGRAM_ASSIGN(image_, folder_.read(names_[index_]));
  offset_ = std::max(start_ - image_.first, kFileHeaderBytes);
  if (image_.header) return start_ < image_.header->end();
  if (next_record(image_.bytes(), image_.first, offset_)) return damaged(image_.first, 0, image_.header.error());
  --kept_;  // it never held a record, or none that is still needed
  return false;
}

/// All before start_ is contained elsewhere, and there is nothing behind it: the log goes on there.
Result<Recovered> Replay::begin_anew() {
  bool any_header = kept_ > 0;
  for (std::size_t i = kept_; i < names_.size(); ++i) {
    MARIGRAM_ASSIGN(const FileImage image, folder_.read(names_[i]));
    any_header |= image.header.has_value();
    const std::uint64_t from = names_[i] < start_ ? start_ - names_[i] : kFileHeaderBytes;
    if (const auto record = next_record(image.bytes(), names_[i], from)) {
      return damaged(names_[i], record->header.lsn - names_[i],
                     fmt::format("a record follows, but no file holds the log from {} on", start_));
    }
  }
  report_.created = !any_header;
  report_.end = start_;
  MARIGRAM_TRY(remove_files_behind());
  return Recovered{.report = report_,
                   .id = kept_ > 0 && image_.header ? image_.header->id : id_.value_or(random_id()),
                   .files = kept(start_),
                   .current = nullptr};
}

/// One by one from behind: a power cut must not leave a gap between two files.
Status Replay::remove_files_behind() {
  for (std::size_t i = names_.size(); i > kept_; --i) {
    MARIGRAM_TRY(folder_.remove_file(names_[i - 1]));
    MARIGRAM_TRY(folder_.sync());
  }
  return {};
}

/// Visits records until one is not sound.
Status Replay::walk() {
  walked_.push_back({.header = *image_.header, .there = image_.there, .begin = offset_, .end = offset_});
  for (;;) {
    const auto record = record_at(image_.bytes(), image_.first, offset_);
    if (record) MARIGRAM_TRY(take(*record));
    walked_.back().end = offset_;
    at_file_end_ = (record && record->header.kind == RecordKind::kEndOfFile) ||
                   offset_ + kRecordHeaderBytes > image_.header->file_bytes;
    if (at_file_end_) {
      MARIGRAM_ASSIGN(const bool entered, enter_next_file());
      if (!entered) return {};
    } else if (!record) {
      return {};
    }
  }
}

Status Replay::take(const Record& record) {
  proven_ = std::max(proven_, record.header.synced);
  offset_ += record_bytes(record.payload.size());
  if (record.header.kind != RecordKind::kBatch) return {};
  ++report_.records;
  report_.payload_bytes += record.payload.size();
  return visit_(record.header.lsn, record.payload);
}

Result<bool> Replay::enter_next_file() {
  if (index_ + 1 == names_.size() || names_[index_ + 1] != image_.header->end()) return false;
  MARIGRAM_ASSIGN(FileImage next, folder_.read(names_[index_ + 1]));
  if (!next.header) return false;
  MARIGRAM_TRY(refuse_foreign(next));
  ++index_;
  ++kept_;
  image_ = std::move(next);
  offset_ = kFileHeaderBytes;
  at_file_end_ = false;
  walked_.push_back({.header = *image_.header, .there = image_.there, .begin = offset_, .end = offset_});
  return true;
}

Status Replay::refuse_foreign(const FileImage& image) const {
  if (image.header->id == walked_.front().header.id) return {};
  return damaged(image.first, 32,
                 fmt::format("it belongs to another log than '{}'", file_name(walked_.front().header.first)));
}

/// Whether what follows the end proves that there was more: then it is damage, and else a torn end.
Status Replay::check_rest() {
  report_.end = at_file_end_ ? image_.header->end() : image_.first + offset_;
  cut_end_ = report_.end;
  if (!at_file_end_) {
    MARIGRAM_TRY(check_against_proof(image_, offset_));
    Leftovers left = leftovers_from(image_.bytes(), image_.first, offset_);
    leftovers_ = std::move(left.offsets);
    cut_end_ = std::max(cut_end_, image_.first + left.end);
    // Something was begun at the end that does not even tell how long it is.
    if (cut_end_ == report_.end && !is_blank(image_.bytes(), offset_)) cut_end_ += kRecordHeaderBytes;
  }
  Lsn next = image_.header->end();
  for (std::size_t i = kept_; i < names_.size(); ++i) MARIGRAM_TRY(check_file_behind(names_[i], next));
  report_.cut_bytes = cut_end_ - report_.end;
  files_end_ = image_.header->end();
  return {};
}

/// Looks at a file behind the end. `next` is where the log goes on if no file is missing.
Status Replay::check_file_behind(Lsn name, Lsn& next) {
  MARIGRAM_ASSIGN(const FileImage image, folder_.read(name));
  if (image.header) MARIGRAM_TRY(refuse_foreign(image));
  if (next_record(image.bytes(), name, kFileHeaderBytes)) {
    if (!image.header) return damaged(name, 0, image.header.error());
    if (name != next) return damaged(name, 0, fmt::format("file '{}' before it is missing", file_name(next)));
    MARIGRAM_TRY(check_against_proof(image, kFileHeaderBytes));
  }
  if (image.header) next = image.header->end();
  return {};
}

Status Replay::check_against_proof(const FileImage& image, std::uint64_t from) {
  while (const auto record = next_record(image.bytes(), image.first, from)) {
    if (record->header.synced > report_.end) {
      return damaged(image_.first, report_.end - image_.first,
                     fmt::format("no sound record, but that at {} says that there was one", record->header.lsn));
    }
    from = record->header.lsn - image.first + record_bytes(record->payload.size());
    cut_end_ = std::max(cut_end_, image.first + from);
  }
  return {};
}

/// A file without a record is made anew when it is needed: the sync that should have made its name last may have
/// failed, and another would not tell.
void Replay::leave_out_empty_file() {
  if (at_file_end_ || offset_ > kFileHeaderBytes) return;
  --kept_;
  walked_.pop_back();
  at_file_end_ = true;
  report_.end = files_end_ = image_.first;
  if (report_.cut_bytes > 0) report_.cut_bytes += kFileHeaderBytes;
}

/// Cuts what is behind the end, and makes what is before it last.
Result<Recovered> Replay::settle() {
  leave_out_empty_file();
  MARIGRAM_TRY(remove_files_behind());
  Recovered result{.report = report_, .id = image_.header->id, .files = kept(files_end_), .current = nullptr};
  for (const Stretch& stretch : walked_) {
    const bool last = stretch.header == walked_.back().header;
    if (!last && stretch.header.first + stretch.end <= proven_) continue;
    MARIGRAM_ASSIGN(const std::shared_ptr<LogFile> file, folder_.open_file(stretch.header));
    MARIGRAM_TRY(rewrite(stretch, *file));
    if (last && !at_file_end_) {
      MARIGRAM_TRY(cut(*file));
      result.current = file;
    }
    MARIGRAM_TRY(file->sync());
  }
  MARIGRAM_TRY(folder_.sync());
  return result;
}

/// Writes again what is not proven to be on stable storage.
Status Replay::rewrite(const Stretch& stretch, LogFile& file) {
  const Lsn first = stretch.header.first;
  const std::uint64_t begin = std::max(stretch.begin, proven_ > first ? proven_ - first : 0);
  if (begin >= stretch.end) return {};
  FileImage again;
  const FileImage* image = &image_;
  if (first != image_.first) {
    MARIGRAM_ASSIGN(again, folder_.read(first));
    image = &again;
  }
  if (image->there < stretch.there) return damaged(first, image->there, "it became shorter while it was read");
  return file.write(begin, image->bytes().subspan(begin, stretch.end - begin));
}

/// Zeroes what could pass for a record behind the end, the last first.
Status Replay::cut(LogFile& file) {
  constexpr std::array<std::byte, kRecordHeaderBytes> kZeros{};
  if (image_.there < image_.size) MARIGRAM_TRY(file.allocate());
  for (std::size_t i = leftovers_.size(); i > 0; --i) MARIGRAM_TRY(file.write(leftovers_[i - 1], kZeros));
  if (!is_blank(image_.bytes(), offset_)) MARIGRAM_TRY(file.write(offset_, kZeros));
  return {};
}

std::vector<FileSpan> Replay::kept(Lsn end) const {
  std::vector<FileSpan> spans;
  spans.reserve(kept_);
  for (std::size_t i = 0; i < kept_; ++i) {
    spans.push_back({.first = names_[i], .end = i + 1 < kept_ ? names_[i + 1] : end});
  }
  return spans;
}

}  // namespace

Result<Recovered> recover(LogFolder& folder, Lsn start, const std::optional<LogId>& id, const Visit& visit) {
  return Replay(folder, start, id, visit).run();
}

Error damage(const LogFolder& folder, Lsn file, std::uint64_t offset, std::string_view what) {
  return {.code = ErrorCode::kCorruption,
          .message = fmt::format("cannot read the log in {}: damage in file '{}' at offset {}: {}; run `marigram db "
                                 "verify --repair`, which saves every whole record",
                                 folder.name(), file_name(file), offset, what)};
}

}  // namespace marigram::wal
