#include "db/core.h"

#include "base/try.h"
#include "db/copy.h"
#include "db/default_environment.h"
#include "db/log_start.h"
#include "db/replay.h"
#include "io/posix_file_system.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace marigram::db {
namespace {

constexpr std::chrono::milliseconds kTick{100};

double seconds_between(Instant begin, Instant end) {
  return static_cast<double>(end.seconds - begin.seconds) +
         (static_cast<double>(end.nanos) - static_cast<double>(begin.nanos)) / 1e9;
}

/// Makes the database if there is none.
Status find_or_make(Storage& storage, const DatabaseOptions& options) {
  const Status found = check_description(storage);
  if (found || found.error().code != ErrorCode::kNotFound || !options.create || options.read_only) return found;
  if (!check_nothing_there(storage) && !check_description(storage)) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot make a database at {}: the folder holds something else; want a new or empty one",
                            storage.name()));
  }
  const Status made = describe(storage);
  return !made && made.error().code == ErrorCode::kAlreadyExists ? Status() : made;
}

}  // namespace

Result<Surroundings> surroundings_of(std::string_view path) {
  MARIGRAM_ASSIGN(const table::Environment environment, environment_for(path));
  Surroundings surroundings{.storage = nullptr, .clock = environment.clock, .pool = environment.pool};
  if (path == "memory:") {
    surroundings.storage = make_memory_storage(*environment.clock);
    return surroundings;
  }
  if (path.starts_with("file:")) path.remove_prefix(5);
  MARIGRAM_ASSIGN(std::filesystem::path root, io::absolute_path(path));
  surroundings.storage = make_file_storage(io::make_posix_file_system(), std::move(root));
  return surroundings;
}

Result<std::unique_ptr<Core>> Core::open(const Surroundings& surroundings, const DatabaseOptions& options) {
  MARIGRAM_TRY(wal::check({.file_bytes = options.log_file_bytes}));
  MARIGRAM_TRY(check(options.jobs));
  MARIGRAM_TRY(find_or_make(*surroundings.storage, options));
  std::unique_ptr<Core> core(new Core(surroundings, options));
  MARIGRAM_TRY(core->start());
  return core;
}

Core::Core(const Surroundings& surroundings, const DatabaseOptions& options)
    : surroundings_(surroundings),
      options_(options),
      memory_(options.memory_bytes),
      gate_(memory_, options.write_timeout),
      catalogue_(surroundings.storage, *surroundings.clock, *surroundings.pool, memory_, options.series_max,
                 !options.read_only) {}

Core::~Core() {
  [[maybe_unused]] const Status closed = close();
}

Status Core::start() {
  if (options_.read_only) return {};
  if (surroundings_.storage->files() != nullptr) {
    MARIGRAM_ASSIGN(owner_, Owner::take(*surroundings_.storage, *surroundings_.clock));
    MARIGRAM_TRY(recover());
    marks_ = std::make_unique<LogMarks>(*log_);
  } else {
    marks_ = std::make_unique<CountedMarks>();
  }
  write_path_ = std::make_unique<WritePath>(catalogue_, gate_, log_.get(), options_, [this] { wake(); });
  if (surroundings_.background) worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  jobs_ = std::make_unique<Jobs>(surroundings_.storage, catalogue_, *surroundings_.clock, options_.jobs,
                                 surroundings_.background && options_.jobs.automatic);
  return {};
}

/// The log is opened twice: the first time it is checked, and its end made to last; the second time its batches are
/// applied, and may be flushed on the way, as all of them last.
Status Core::recover() {
  const Instant begin = surroundings_.clock->now();
  const std::filesystem::path path = surroundings_.storage->path(kLogFolder);
  MARIGRAM_ASSIGN(const LogStart start, read_log_start(*surroundings_.storage));
  log_start_ = start.lsn;
  const wal::WalOptions options{.start = start.lsn, .id = start.id, .file_bytes = options_.log_file_bytes};
  const auto look = [](wal::Lsn, std::span<const std::byte>) -> Status { return {}; };
  MARIGRAM_ASSIGN(wal::OpenedWal checked, wal::Wal::open(*surroundings_.storage->files(), path, options, look));
  const std::string id = wal::format_id(checked.wal->id());
  recovery_.cut_bytes = checked.recovery.cut_bytes;
  if (checked.recovery.records == 0) {
    log_ = std::move(checked.wal);
    return {};
  }
  checked.wal.reset();
  Replay replay(catalogue_, *surroundings_.pool, id, [&](wal::Lsn lsn) { return make_room_for_replay(id, lsn); });
  const auto apply = [&](wal::Lsn lsn, std::span<const std::byte> payload) { return replay.take(lsn, payload); };
  MARIGRAM_ASSIGN(wal::OpenedWal opened, wal::Wal::open(*surroundings_.storage->files(), path, options, apply));
  log_ = std::move(opened.wal);
  recovery_.batches = replay.report().batches;
  recovery_.points = replay.report().points;
  recovery_.orphans = replay.report().orphans;
  recovery_.seconds = seconds_between(begin, surroundings_.clock->now());
  return {};
}

/// Rows are flushed in the background once the database is open, so here only what does not fit.
Status Core::make_room_for_replay(const std::string& log, wal::Lsn lsn) {
  if (!memory_.is_exceeded()) return {};
  ReplayMarks marks({.log = log, .lsn = lsn});
  for (table::LiveTable* table : catalogue_.open_tables()) MARIGRAM_TRY(table->flush(marks));
  return {};
}

Status Core::check_writable() const {
  if (options_.read_only) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("cannot write to {}: it was opened read-only", surroundings_.storage->name()));
  }
  if (!closed_) return {};
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot use {}: it was closed", surroundings_.storage->name()));
}

Status Core::write(std::string_view name_space, const model::WriteBatch& batch, Durability durability) {
  MARIGRAM_TRY(check_writable());
  return write_path_->write(name_space, batch, durability);
}

Result<table::LiveTable*> Core::table_to_read(std::string_view name_space, std::string_view name) {
  MARIGRAM_ASSIGN(table::LiveTable* const table, catalogue_.find(name_space, name));
  if (!options_.read_only) return table;
  const Status refreshed = table->refresh();
  if (refreshed) return table;
  if (refreshed.error().code != ErrorCode::kNotFound) return std::unexpected(refreshed.error());
  catalogue_.forget(name_space, name);  // its owner has dropped it, and may have made it anew
  return catalogue_.find(name_space, name);
}

Status Core::flush(table::LiveTable& table) {
  const Instant begin = surroundings_.clock->now();
  const Result<std::uint64_t> rows = table.flush(*marks_);
  note_flush(rows, seconds_between(begin, surroundings_.clock->now()));
  gate_.freed();
  if (!rows) return std::unexpected(rows.error());
  return {};
}

Status Core::replace_rows(table::LiveTable& table, const std::function<Status(table::Engine&)>& change) {
  MARIGRAM_TRY(check_writable());
  MARIGRAM_TRY(flush(table));
  const Status replaced = table.replace_rows(*marks_, change);
  gate_.freed();
  MARIGRAM_TRY(replaced);
  return table.learn_series();
}

Status Core::flush() {
  MARIGRAM_TRY(check_writable());
  for (table::LiveTable* table : catalogue_.open_tables()) MARIGRAM_TRY(flush(*table));
  return cut_log();
}

/// What lies before the oldest row in memory is in segments. A batch that is under way holds the locks of its shards
/// until it is in memory, so none before the position is overlooked.
Status Core::cut_log() {
  if (!log_) return {};
  const std::lock_guard cutting(cut_mutex_);
  wal::Lsn needed = log_->position();
  for (table::LiveTable* table : catalogue_.open_tables())
    needed = std::min(needed, table->oldest_lsn().value_or(needed));
  const wal::Lsn start = log_->file_at(needed);  // files define what their records refer to, so they are read whole
  if (start > log_start_) {
    MARIGRAM_TRY(write_log_start(*surroundings_.storage, start, log_->id()));
    log_start_ = start;
  }
  return log_->truncate(start);
}

/// The log is closed. If nothing of it is in memory, nothing of it need be read again, so its files go, but not before
/// the start lasts. Whoever opens it next defines anew what records refer to.
Status Core::leave_log_behind() {
  const std::lock_guard cutting(cut_mutex_);
  const auto is_in_memory = [](table::LiveTable* table) { return table->oldest_lsn().has_value(); };
  if (std::ranges::any_of(catalogue_.open_tables(), is_in_memory)) return {};
  const wal::Lsn end = log_->position();
  if (end > log_start_) {
    MARIGRAM_TRY(write_log_start(*surroundings_.storage, end, log_->id()));
    log_start_ = end;
  }
  return log_->remove_files();
}

void Core::note_flush(const Result<std::uint64_t>& rows, double seconds) {
  if (rows && *rows == 0) return;
  const std::lock_guard lock(mutex_);
  ++flushed_.flushes;
  flushed_.seconds += seconds;
  flushed_.points += rows.value_or(0);
  flushed_.last_error = rows ? std::string() : rows.error().message;
}

FlushFigures Core::flush_figures() const {
  const std::lock_guard lock(mutex_);
  return flushed_;
}

void Core::wake() {
  const std::lock_guard lock(mutex_);
  wanted_ = true;
  woken_.notify_all();
}

/// Syncs each interval, and flushes by size, by age and on demand. What fails is tried again, a second later, and shows
/// in the metrics.
void Core::work(const std::stop_token& stop) {
  using Time = std::chrono::steady_clock::time_point;
  constexpr std::chrono::seconds kSecond{1};
  Time flushed = std::chrono::steady_clock::now();
  Time noted = flushed;
  Time not_before = flushed;
  while (!stop.stop_requested()) {
    bool wanted = false;
    {
      std::unique_lock lock(mutex_);
      woken_.wait_for(lock, stop, std::min(options_.sync_interval, kTick), [&] { return wanted_; });
      wanted = std::exchange(wanted_, false);
    }
    const Time now = std::chrono::steady_clock::now();
    if (now - noted >= kSecond) {
      noted = now;
      rate_.note(points());
    }
    if (log_ && log_->durable() < log_->position()) [[maybe_unused]]
      const Status synced = log_->sync();
    wanted = wanted || now - flushed >= options_.flush_age || memory_.used() >= options_.flush_bytes;
    if (!wanted || now < not_before || stop.stop_requested()) continue;
    flushed = now;
    if (!flush()) not_before = now + kSecond;
  }
}

Status Core::close() {
  const std::lock_guard closing(close_mutex_);
  if (closed_) return {};
  if (jobs_) jobs_->stop();
  if (worker_.joinable()) {
    worker_.request_stop();
    woken_.notify_all();
    worker_.join();
  }
  Status done;
  if (write_path_) done = flush();
  closed_ = true;
  if (log_ && done) done = log_->close();
  if (log_ && done) done = leave_log_behind();
  owner_.reset();
  return done;
}

}  // namespace marigram::db
