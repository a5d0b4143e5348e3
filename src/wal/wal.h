// The write-ahead log of a database: what was appended is replayed when it is opened again, until the segments contain
// it. One record is one batch: after a crash it is there as a whole or not at all, in the order of appending, once.
//
// Appends are queued in memory under a lock; one thread at a time, the leader, writes and syncs what all have queued,
// without the lock (group commit). The room has no thread of its own and reads no clock: whoever needs bytes written or
// synced does it, and an owner that promises "on stable storage within 100 ms" calls sync() that often.
//
// docs/format/wal.md describes the files; recovery.h what opening does.
#pragma once

#include "io/file_system.h"
#include "wal/format.h"
#include "wal/log_folder.h"
#include "wal/recovery.h"

#include <marigram/error.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace marigram::wal {

enum class Durability {
  kSync,      ///< on stable storage when append returns
  kBuffered,  ///< queued when append returns; a crash may take it, with all that was appended after it
};

struct WalOptions {
  /// Everything before this LSN is contained elsewhere and not replayed.
  Lsn start = 0;
  /// Of the log, if it has no file any more; without it such a log is a new one.
  std::optional<LogId> id = {};
  /// Size of each new file: a multiple of 512 in [1 KiB, 1 GiB]. A batch must fit in one file.
  std::uint64_t file_bytes = std::uint64_t{64} << 20;
  /// Appends that find this much queued write it out first.
  std::size_t queue_bytes = std::size_t{1} << 20;
  /// At most that many files are kept ready for what comes, made of files that are no longer needed.
  std::size_t spare_files = 2;
};

/// kInvalidInput if the log's files may not have that size.
Status check(const WalOptions& options);

struct OpenedWal;

/// Where a batch went.
struct Placed {
  std::optional<Lsn> lsn = {};  ///< unset: nowhere
  Lsn file = 0;                 ///< first LSN of the file that takes it
};

/// Thread-safe, but for close(), remove_files() and the destructor. Errors of append, sync, write_out, truncate and
/// close:
/// - kInvalidInput: the payload is too large; nothing was queued.
/// - kResourceExhausted, kPermissionDenied: there is no space for another file, or it may not be made; nothing was
///   queued, and a later append succeeds once that has changed.
/// - kIo: a write or sync has failed, now or earlier. What the disk holds is not known, so the log takes no more: it
///   must be opened anew. A batch whose append failed so may be found then, or not.
class Wal {
 public:
  /// Opens the log in the folder `path` and replays it; a new one if the folder has none. The path is absolute. The
  /// caller has made the folder, so that its name lasts, and sees to it that nobody else has the log open. Time: linear
  /// in the bytes behind `start`. Memory: two files. kCorruption if records are damaged that were on stable storage; a
  /// torn end is no damage (see Recovery::cut_bytes). kNotFound if there is no such folder.
  static Result<OpenedWal> open(const io::FileSystem& files, const std::filesystem::path& path,
                                const WalOptions& options, const Visit& visit);
  /// Writes out what is queued, if it can; does not sync. See close().
  ~Wal();
  Wal(const Wal&) = delete;
  Wal& operator=(const Wal&) = delete;

  /// Appends a batch and returns its LSN. O(bytes); waits for the disk if kSync, if the queue is full, and once a file.
  Result<Lsn> append(std::span<const std::byte> payload, Durability durability);
  /// Appends a batch as kBuffered if it goes into the file that begins at `file`. If it would go into another, that one
  /// is told and nothing is appended: so payloads can refer to what others in the same file have said.
  Result<Placed> append_in_file(Lsn file, std::span<const std::byte> payload);
  /// All that was appended before the call is on stable storage when it returns.
  Status sync();
  /// All that was appended before the call has been handed to the operating system: it survives the death of the
  /// process, not a power cut.
  Status write_out();
  /// What lies before `lsn` is no longer needed: it is on stable storage elsewhere. Files wholly before it are recycled
  /// or removed, also those that were there when the log was opened; at least one file stays. Also kIo if a file cannot
  /// be removed; then a later call tries again.
  Status truncate(Lsn lsn);
  /// Syncs, and records that the end is on stable storage, so that damage to it will be told from a torn end. The log
  /// takes nothing afterwards.
  Status close();
  /// For a log that was closed and all of which is contained elsewhere: it needs no files. Whoever opens it with
  /// position() as its start, and its id, goes on there, and need not look through a file for records that it does not
  /// hold. Files that could not be removed do no harm. kIo.
  Status remove_files();

  /// The same for all files of this log, and for those of no other.
  const LogId& id() const { return id_; }
  /// Behind the last batch. A log that is opened with this `start` replays what is appended from now on.
  Lsn position() const;
  /// Where the file begins that holds `lsn`; that of the oldest file for what lies before. It stays when the log is
  /// truncated there, and it is a start from which all records of that file are replayed.
  Lsn file_at(Lsn lsn) const;
  /// Everything before it is on stable storage.
  Lsn durable() const;
  /// From the oldest file to the end, in bytes: what opening would read.
  std::uint64_t bytes() const;
  /// How often files were synced since the log was opened.
  std::uint64_t syncs() const;
  /// Largest payload of a batch, in bytes.
  std::uint64_t payload_bytes_max() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  /// Bytes that go to one place of one file.
  struct Piece {
    std::shared_ptr<LogFile> file;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
  };
  /// Records that are not written yet, in order.
  struct Queue {
    std::vector<std::byte> bytes;
    std::vector<Piece> pieces;  // their bytes lie one behind the other
    void add(const std::shared_ptr<LogFile>& file, std::uint64_t offset, std::span<const std::byte> header,
             std::span<const std::byte> payload);
    void clear();
  };

  Wal(LogFolder folder, const WalOptions& options, Recovered recovered);

  // All below are called with the lock, and those that get it let go of it while they work on files. Whoever does that
  // has set busy_: only one thread at a time works on files.
  Status check_size(std::span<const std::byte> payload) const;
  Status make_room(Lock& lock, std::uint64_t bytes);
  Lsn place(RecordKind kind, std::span<const std::byte> payload, std::uint32_t payload_crc);
  void begin_next_file();
  Status wait(Lock& lock, Lsn end, bool durably);
  void lead(Lock& lock, bool durably);
  Status prepare_file(Lock& lock);
  bool wants_spare() const;
  Status drop_oldest_file(Lock& lock);
  bool is_queued(Lsn end_max) const;
  void set_busy();
  void set_free(Lock& lock);
  void fail_for_good(const Error& cause);

  // Without the lock, by the thread that has set busy_.
  Status write_queue(Queue& queue);
  Status remember_unsynced(const std::shared_ptr<LogFile>& file);
  Status sync_written();

  const WalOptions options_;
  const LogId id_;
  LogFolder folder_;                                // guarded by busy_
  Queue writing_;                                   // guarded by busy_
  std::vector<std::shared_ptr<LogFile>> unsynced_;  // guarded by busy_: written to, oldest first

  mutable std::mutex mutex_;         // guards all below
  std::condition_variable changed_;  // nobody is busy
  bool busy_ = false;
  /// Who waits for records to be written sleeps in one of two groups: that of the lead that runs, which wakes all of it
  /// at its end, or that of the next, of which one is woken then, to lead. So a thread wakes once. A group is a count
  /// that changes when somebody is to wake: it is waited for, and written_ and durable_ are read, without the lock,
  /// which dozens of threads that wake at once would else queue for.
  std::array<std::atomic<std::uint32_t>, 2> groups_ = {};
  std::size_t leading_ = 0;  // in groups_, those of the lead that runs, or ran last
  Lsn lead_end_ = 0;         // what is before it, that lead writes
  std::optional<Error> failure_;
  Queue filling_;
  std::deque<FileSpan> files_;                     // with records or made for them, oldest first; current_ is the last
  std::shared_ptr<LogFile> current_;               // where position_ lies; none if a new file begins there
  std::deque<std::shared_ptr<LogFile>> prepared_;  // the files that follow it
  Lsn next_first_;                                 // of the next file to be prepared
  Lsn position_;
  std::atomic<Lsn> written_;
  std::atomic<Lsn> durable_;
  std::uint64_t syncs_ = 0;
  const Lsn opened_at_;
};

struct OpenedWal {
  std::unique_ptr<Wal> wal;
  Recovery recovery;
};

}  // namespace marigram::wal
