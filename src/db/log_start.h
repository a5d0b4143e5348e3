// Where the write-ahead log begins: before its first files go, the object wal/START says from which position on it is
// to be read. Without that a log whose beginning is missing could not be told from one that was cut.
#pragma once

#include "db/storage.h"
#include "wal/format.h"

#include <marigram/error.h>

namespace marigram::db {

/// 0 if nobody has said. kCorruption: what is there is no position.
Result<wal::Lsn> read_log_start(Storage& storage);
/// It lasts when this returns. `start` is the first position of a file.
Status write_log_start(Storage& storage, wal::Lsn start);
/// For a log that begins anew.
Status forget_log_start(Storage& storage);

}  // namespace marigram::db
