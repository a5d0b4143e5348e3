// Reading a damaged log: every whole record, and what is missing between them. Changes nothing.
#pragma once

#include "io/file_system.h"
#include "wal/format.h"
#include "wal/recovery.h"

#include <marigram/error.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace marigram::wal {

/// Bytes [begin, end) of the log that hold no sound record though records follow, or though something was begun there.
struct LostStretch {
  Lsn begin = 0;
  Lsn end = 0;
  std::string file = {};  ///< in which `end` lies
  std::string cause = {};
  bool followed = true;  ///< false: nothing sound lies behind it, so that it may be an end that a crash tore
};

struct SalvageReport {
  std::optional<LogId> id = {};     ///< that of most files; unset if no file tells one
  std::uint64_t files = 0;          ///< that were read
  Lsn begin = 0;                    ///< of the oldest of them
  std::uint64_t records = 0;        ///< that were visited
  std::uint64_t payload_bytes = 0;  ///< of these
  Lsn end = 0;                      ///< behind the last of them
  std::vector<LostStretch> lost;    ///< ascending
};

/// Visits every whole batch of the log in the folder `path`, in order, whatever lies between them; a file of another
/// log is reported as lost. Nobody has the log open. Time: linear in its bytes; memory: one file. kNotFound if there is
/// no such folder.
Result<SalvageReport> salvage(const io::FileSystem& files, const std::filesystem::path& path, const Visit& visit);

}  // namespace marigram::wal
