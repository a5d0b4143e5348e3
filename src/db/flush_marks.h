// What a flush's commit says of the write-ahead log, whatever log there is.
#pragma once

#include "table/live_table.h"
#include "table/record.h"
#include "wal/wal.h"

#include <marigram/error.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace marigram::db {

/// An open log. Thread-safe.
class LogMarks final : public table::FlushLog {
 public:
  explicit LogMarks(wal::Wal& log) : log_(log) {}

  /// An empty batch moves the end of the log where it has not moved since.
  Result<log::WalMark> mark_after(const std::optional<log::WalMark>& before) override {
    log::WalMark mark{.log = wal::format_id(log_.id()), .lsn = log_.position()};
    if (!before || before->log != mark.log || before->lsn < mark.lsn) return mark;
    table::RecordWriter nothing(0);
    const auto moved = log_.append(nothing.finish(0, {}), wal::Durability::kBuffered);
    if (!moved) return std::unexpected(moved.error());
    mark.lsn = log_.position();
    return mark;
  }
  Status make_durable() override { return log_.sync(); }

 private:
  wal::Wal& log_;
};

/// A log that is being replayed, all of which lasts: up to a record.
class ReplayMarks final : public table::FlushLog {
 public:
  explicit ReplayMarks(log::WalMark mark) : mark_(std::move(mark)) {}

  Result<log::WalMark> mark_after(const std::optional<log::WalMark>& /*before*/) override { return mark_; }
  Status make_durable() override { return {}; }

 private:
  const log::WalMark mark_;
};

/// No log. Thread-safe.
class CountedMarks final : public table::FlushLog {
 public:
  Result<log::WalMark> mark_after(const std::optional<log::WalMark>& /*before*/) override {
    return log::WalMark{.log = std::string(32, '0'), .lsn = ++flushes_};
  }
  Status make_durable() override { return {}; }

 private:
  std::atomic<std::uint64_t> flushes_ = 0;
};

}  // namespace marigram::db
