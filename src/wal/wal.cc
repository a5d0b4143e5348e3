#include "wal/wal.h"

#include "base/hash.h"
#include "base/patient_lock.h"
#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

namespace marigram::wal {
namespace {

/// More files than that are not left unsynced, so that a log that is never synced does not run out of descriptors.
constexpr std::size_t kUnsyncedFilesMax = 8;

std::uint32_t checksum(std::span<const std::byte> payload) {
  return crc32c({reinterpret_cast<const char*>(payload.data()), payload.size()});
}

}  // namespace

Status check(const WalOptions& options) {
  const bool fits = options.file_bytes >= kFileBytesMin && options.file_bytes <= kFileBytesMax;
  if (fits && options.file_bytes % kSectorBytes == 0) return {};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot use files of {} bytes for a write-ahead log; want a multiple of {} in [{}, {}]",
                          options.file_bytes, kSectorBytes, kFileBytesMin, kFileBytesMax));
}

void Wal::Queue::add(const std::shared_ptr<LogFile>& file, std::uint64_t offset, std::span<const std::byte> header,
                     std::span<const std::byte> payload) {
  const std::size_t before = bytes.size();
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  bytes.resize(before + record_bytes(payload.size()));
  if (pieces.empty() || pieces.back().file != file) pieces.push_back({.file = file, .offset = offset, .bytes = 0});
  pieces.back().bytes += bytes.size() - before;
}

void Wal::Queue::clear() {
  bytes.clear();
  pieces.clear();
}

Result<OpenedWal> Wal::open(const io::FileSystem& files, const std::filesystem::path& path, const WalOptions& options,
                            const Visit& visit) {
  MARIGRAM_TRY(check(options));
  MARIGRAM_ASSIGN(LogFolder folder, LogFolder::open(files, path));
  MARIGRAM_ASSIGN(Recovered recovered, recover(folder, options.start, options.id, visit));
  const Recovery report = recovered.report;
  return OpenedWal{.wal = std::unique_ptr<Wal>(new Wal(std::move(folder), options, std::move(recovered))),
                   .recovery = report};
}

Wal::Wal(LogFolder folder, const WalOptions& options, Recovered recovered)
    : options_(options),
      id_(recovered.id),
      folder_(std::move(folder)),
      files_(recovered.files.begin(), recovered.files.end()),
      current_(std::move(recovered.current)),
      next_first_(current_ ? current_->end() : recovered.report.end),
      position_(recovered.report.end),
      written_(position_),
      durable_(position_),
      opened_at_(position_) {
  filling_.bytes.reserve(options_.queue_bytes);
  writing_.bytes.reserve(options_.queue_bytes);
}

Wal::~Wal() {
  [[maybe_unused]] const Status written = write_out();
}

Status Wal::check_size(std::span<const std::byte> payload) const {
  if (payload.size() <= payload_bytes_max()) return {};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot append a batch to the log in {}: it is too large; got {} bytes, want at most {}; "
                          "split it",
                          folder_.name(), payload.size(), payload_bytes_max()));
}

Result<Lsn> Wal::append(std::span<const std::byte> payload, Durability durability) {
  MARIGRAM_TRY(check_size(payload));
  const std::uint32_t crc = checksum(payload);
  lock_patiently(mutex_);
  Lock lock(mutex_, std::adopt_lock);
  MARIGRAM_TRY(make_room(lock, record_bytes(payload.size())));
  const Lsn lsn = place(RecordKind::kBatch, payload, crc);
  if (durability == Durability::kSync) MARIGRAM_TRY(wait(lock, position_, true));
  return lsn;
}

Result<Placed> Wal::append_in_file(Lsn file, std::span<const std::byte> payload) {
  MARIGRAM_TRY(check_size(payload));
  const std::uint32_t crc = checksum(payload);
  lock_patiently(mutex_);
  Lock lock(mutex_, std::adopt_lock);
  MARIGRAM_TRY(make_room(lock, record_bytes(payload.size())));
  if (current_->first() != file) return Placed{.lsn = {}, .file = current_->first()};
  return Placed{.lsn = place(RecordKind::kBatch, payload, crc), .file = file};
}

Status Wal::sync() {
  Lock lock(mutex_);
  return wait(lock, position_, true);
}

Status Wal::write_out() {
  Lock lock(mutex_);
  return wait(lock, position_, false);
}

Status Wal::close() {
  Lock lock(mutex_);
  MARIGRAM_TRY(wait(lock, position_, true));
  const bool room = current_ && current_->end() - position_ >= kRecordHeaderBytes;
  if (room && position_ != opened_at_) {
    place(RecordKind::kMark, {}, 0);
    MARIGRAM_TRY(wait(lock, position_, true));
  }
  failure_ = Error{.code = ErrorCode::kInvalidInput,
                   .message = fmt::format("cannot use the log in {}: it was closed", folder_.name())};
  return {};
}

Status Wal::remove_files() {
  const Lock lock(mutex_);
  if (files_.empty() && prepared_.empty()) return {};
  for (const FileSpan& file : files_) MARIGRAM_TRY(folder_.remove_file(file.first));
  for (const std::shared_ptr<LogFile>& file : prepared_) MARIGRAM_TRY(folder_.remove_file(file->first()));
  files_.clear();
  prepared_.clear();
  current_.reset();
  return folder_.sync();
}

Lsn Wal::position() const {
  const Lock lock(mutex_);
  return position_;
}

Lsn Wal::file_at(Lsn lsn) const {
  const Lock lock(mutex_);
  if (files_.empty()) return opened_at_;
  const auto behind = std::ranges::upper_bound(files_, lsn, {}, &FileSpan::first);
  return behind == files_.begin() ? files_.front().first : std::prev(behind)->first;
}

Lsn Wal::durable() const {
  const Lock lock(mutex_);
  return durable_;
}

std::uint64_t Wal::payload_bytes_max() const {
  return wal::payload_bytes_max(options_.file_bytes);
}

std::uint64_t Wal::bytes() const {
  const Lock lock(mutex_);
  return files_.empty() ? 0 : position_ - files_.front().first;
}

std::uint64_t Wal::syncs() const {
  const Lock lock(mutex_);
  return syncs_;
}

/// Returns when a record of `bytes` fits behind position_, and the queue takes it.
Status Wal::make_room(Lock& lock, std::uint64_t bytes) {
  for (;;) {
    if (failure_) return std::unexpected(*failure_);
    if (!filling_.bytes.empty() && filling_.bytes.size() + bytes > options_.queue_bytes) {
      if (busy_) {
        changed_.wait(lock);
      } else {
        lead(lock, false);
      }
    } else if (current_ && current_->end() - position_ >= bytes) {
      return {};
    } else if (!prepared_.empty()) {
      begin_next_file();
      return {};
    } else if (busy_) {
      changed_.wait(lock);
    } else {
      MARIGRAM_TRY(prepare_file(lock));
    }
  }
}

/// Queues a record; there is room for it.
Lsn Wal::place(RecordKind kind, std::span<const std::byte> payload, std::uint32_t payload_crc) {
  const Lsn lsn = position_;
  const auto header = encode({.kind = kind, .lsn = lsn, .synced = durable_}, payload.size(), payload_crc);
  filling_.add(current_, lsn - current_->first(), header, payload);
  position_ += record_bytes(payload.size());
  return lsn;
}

void Wal::begin_next_file() {
  if (current_ && current_->end() - position_ >= kRecordHeaderBytes) place(RecordKind::kEndOfFile, {}, 0);
  current_ = std::move(prepared_.front());
  prepared_.pop_front();
  files_.push_back({.first = current_->first(), .end = current_->end()});
  position_ = current_->first() + kFileHeaderBytes;
}

/// Until everything before `end` is written, and if `durably` on stable storage.
Status Wal::wait(Lock& lock, Lsn end, bool durably) {
  const std::atomic<Lsn>& reached = durably ? durable_ : written_;
  for (;;) {
    if (reached >= end) return {};
    if (failure_) return std::unexpected(*failure_);
    if (!busy_) {
      lead(lock, durably);
    } else {
      std::atomic<std::uint32_t>& group = groups_[end <= lead_end_ ? leading_ : 1 - leading_];
      const std::uint32_t before = group.load();
      lock.unlock();
      group.wait(before);
      if (reached >= end) return {};
      lock.lock();
    }
  }
}

void Wal::set_busy() {
  busy_ = true;
}

/// Lets go of the lock while it wakes others, or they would wait for it.
void Wal::set_free(Lock& lock) {
  busy_ = false;
  auto& led = groups_[leading_];
  auto& next = groups_[1 - leading_];
  ++led;
  ++next;
  const bool failed = failure_.has_value();
  lock.unlock();
  led.notify_all();
  failed ? next.notify_all() : next.notify_one();
  changed_.notify_all();
  lock.lock();
}

void Wal::fail_for_good(const Error& cause) {
  if (failure_) return;
  failure_ = Error{.code = ErrorCode::kIo,
                   .message = fmt::format("{}; the log takes no more, as it is not known what the disk holds: open it "
                                          "anew",
                                          cause.message)};
}

/// Writes all that is queued, and if `durably` syncs all that was written. What comes of it is in written_, durable_
/// and failure_.
void Wal::lead(Lock& lock, bool durably) {
  set_busy();
  leading_ = 1 - leading_;
  std::swap(filling_, writing_);
  const Lsn end = lead_end_ = position_;
  lock.unlock();
  Status done = write_queue(writing_);
  if (done && durably) done = sync_written();
  writing_.clear();
  lock.lock();
  if (done) {
    written_ = end;
    if (durably) {
      durable_ = end;
      ++syncs_;
    }
  } else {
    fail_for_good(done.error());
  }
  set_free(lock);
  // Without space there is none ahead of time; who needs the file will be told.
  if (wants_spare()) [[maybe_unused]]
    const Status ahead = prepare_file(lock);
}

/// Whether the file that comes next should be made now, so that few have to wait for it.
bool Wal::wants_spare() const {
  if (failure_ || busy_ || !current_ || !prepared_.empty() || options_.spare_files == 0) return false;
  return position_ - current_->first() >= current_->bytes() / 2;
}

/// Zeros behind the last record say that nothing follows it, whatever a recycled file holds there.
Status Wal::write_queue(Queue& queue) {
  if (queue.pieces.empty()) return {};
  Piece& last = queue.pieces.back();
  const std::uint64_t room = last.file->bytes() - last.offset - last.bytes;
  if (room >= kRecordHeaderBytes) {
    queue.bytes.resize(queue.bytes.size() + kRecordHeaderBytes);
    last.bytes += kRecordHeaderBytes;
  }
  std::span<const std::byte> rest = queue.bytes;
  for (const Piece& piece : queue.pieces) {
    MARIGRAM_TRY(remember_unsynced(piece.file));
    MARIGRAM_TRY(piece.file->write(piece.offset, rest.first(piece.bytes)));
    rest = rest.subspan(piece.bytes);
  }
  return {};
}

Status Wal::remember_unsynced(const std::shared_ptr<LogFile>& file) {
  if (!unsynced_.empty() && unsynced_.back() == file) return {};
  if (unsynced_.size() >= kUnsyncedFilesMax) {
    MARIGRAM_TRY(unsynced_.front()->sync());
    unsynced_.erase(unsynced_.begin());
  }
  unsynced_.push_back(file);
  return {};
}

Status Wal::sync_written() {
  for (const std::shared_ptr<LogFile>& file : unsynced_) MARIGRAM_TRY(file->sync());
  unsynced_.clear();
  return {};
}

/// Makes the file that follows all others. Nobody is busy.
Status Wal::prepare_file(Lock& lock) {
  const FileHeader header{.first = next_first_, .file_bytes = options_.file_bytes, .id = id_};
  set_busy();
  lock.unlock();
  auto made = folder_.make_file(header);
  lock.lock();
  if (made) {
    next_first_ = header.end();
    prepared_.push_back(std::move(*made));
  } else if (made.error().code == ErrorCode::kIo) {
    fail_for_good(made.error());
  }
  set_free(lock);
  if (made) return {};
  return std::unexpected(failure_ ? *failure_ : std::move(made).error());
}

/// Whether the queue holds something for files that end at or before `end_max`.
bool Wal::is_queued(Lsn end_max) const {
  return !filling_.pieces.empty() && filling_.pieces.front().file->end() <= end_max;
}

Status Wal::truncate(Lsn lsn) {
  Lock lock(mutex_);
  for (;;) {
    if (failure_) return std::unexpected(*failure_);
    if (files_.size() < 2 || files_.front().end > lsn) return {};
    if (busy_) {
      changed_.wait(lock);
    } else if (is_queued(files_.front().end)) {
      lead(lock, false);
    } else {
      MARIGRAM_TRY(drop_oldest_file(lock));
    }
  }
}

/// Nobody is busy, and nothing is queued for the file.
Status Wal::drop_oldest_file(Lock& lock) {
  const FileSpan old = files_.front();
  const FileHeader header{.first = next_first_, .file_bytes = options_.file_bytes, .id = id_};
  const bool recycle = prepared_.size() < options_.spare_files && old.end - old.first == options_.file_bytes;
  set_busy();
  lock.unlock();
  std::erase_if(unsynced_, [&](const std::shared_ptr<LogFile>& file) { return file->end() <= old.end; });
  Result<std::shared_ptr<LogFile>> made = nullptr;
  Status removed;
  if (recycle) {
    made = folder_.recycle_file(old.first, header);
  } else {
    removed = folder_.remove_file(old.first);
  }
  lock.lock();
  if (recycle && made) {
    next_first_ = header.end();
    prepared_.push_back(std::move(*made));
  }
  if (!made && made.error().code == ErrorCode::kIo) fail_for_good(made.error());
  if (removed) files_.pop_front();
  set_free(lock);
  if (failure_) return std::unexpected(*failure_);
  return removed;
}

}  // namespace marigram::wal
