// What happens when a log is opened: its records are replayed, its torn end is cut, and what is left is made to last.
//
// The argument, for files that lose any subset of what was not synced:
// - A file is on stable storage under its name, with its header, before a record goes into it. So a file was damaged
//   that is missing between two with records, or that holds records below a bad header.
// - Records are walked in order until one is not sound, at P. Each record tells up to where (`synced`) the log was on
//   stable storage when it was made. A sound record behind P with `synced` > P proves that the record at P had been on
//   stable storage: it was damaged. Without such proof nothing at or behind P was acknowledged as synced: a torn end.
// - Cutting zeroes the header of each record left behind P, and removes the files behind P's. A power cut in between
//   leaves a log that still ends at P, and whose leftovers still prove nothing.
// - What was walked but is not proven to be on stable storage is written once more before it is synced: a sync that
//   failed earlier may have made the system forget that it still has to write it.
#pragma once

#include "wal/format.h"
#include "wal/log_folder.h"

#include <marigram/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace marigram::wal {

/// Gets each record's LSN and payload, which is valid during the call. An error ends the replay, and is its result.
using Visit = std::function<Status(Lsn lsn, std::span<const std::byte> payload)>;

/// What opening a log has found and done.
struct Recovery {
  bool created = false;             ///< there was no log
  Lsn end = 0;                      ///< where the next record goes, or its file
  std::uint64_t records = 0;        ///< that were visited
  std::uint64_t payload_bytes = 0;  ///< of these
  /// A torn end was cut at `end`: it reached this many bytes further, as far as can be told. 0: the end was clean.
  std::uint64_t cut_bytes = 0;
};

/// A stretch of the log that one file holds.
struct FileSpan {
  Lsn first = 0;
  Lsn end = 0;
};

struct Recovered {
  Recovery report;
  LogId id{};
  std::vector<FileSpan> files;       ///< all that are left, ascending; the last is `current` if there is one
  std::shared_ptr<LogFile> current;  ///< where report.end lies; none if a new file begins there
};

/// Replays from `start` on, and leaves a log that ends cleanly and is on stable storage. Needs no space. `id`: of the
/// log, if no file tells; without it a log that has no file is a new one.
/// kInvalidInput: `start` is not a position of a log. kCorruption names file and offset; nothing was changed then.
Result<Recovered> recover(LogFolder& folder, Lsn start, const std::optional<LogId>& id, const Visit& visit);

/// What says that a log is damaged: "cannot read the log in <folder>: file '<file>' at offset <n>: <what>; run ...".
Error damage(const LogFolder& folder, Lsn file, std::uint64_t offset, std::string_view what);

}  // namespace marigram::wal
