// Where the write-ahead log begins: before its first files go, the object wal/START says from which position on it is
// to be read, and which log it is. Without that a log whose beginning is missing could not be told from one that was
// cut.
#pragma once

#include "db/storage.h"
#include "wal/format.h"

#include <marigram/error.h>

#include <optional>

namespace marigram::db {

struct LogStart {
  wal::Lsn lsn = 0;
  std::optional<wal::LogId> id = {};  ///< of the log
};

/// 0, and no id, if nobody has said. kCorruption: what is there is no start.
Result<LogStart> read_log_start(Storage& storage);
/// It lasts when this returns. `lsn` is the first position of a file, or where a log ends that needs none.
Status write_log_start(Storage& storage, wal::Lsn lsn, const wal::LogId& id);
/// For a log that begins anew.
Status forget_log_start(Storage& storage);

}  // namespace marigram::db
