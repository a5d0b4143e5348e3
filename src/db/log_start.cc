#include "db/log_start.h"

#include "base/hash.h"
#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace marigram::db {
namespace {

constexpr const char* kStart = "wal/START";

/// Position, id, and the CRC-32C of both: a start that is too late would hide batches.
std::string text_of(wal::Lsn lsn, const wal::LogId& id) {
  const std::string words = fmt::format("{} {}", lsn, wal::format_id(id));
  return fmt::format("{} {:08x}\n", words, crc32c(words));
}

/// Unset for a text that is none of those.
std::optional<LogStart> start_in(std::string_view text) {
  LogStart start;
  std::from_chars(text.data(), text.data() + text.size(), start.lsn);
  const std::size_t space = std::min(text.find(' '), text.size());
  start.id = wal::parse_id(text.substr(std::min(space + 1, text.size()), 2 * sizeof(wal::LogId)));
  return start.id && text == text_of(start.lsn, *start.id) ? std::optional(start) : std::nullopt;
}

}  // namespace

Result<LogStart> read_log_start(Storage& storage) {
  const auto found = storage.store("")->read(kStart);
  if (!found && found.error().code == ErrorCode::kNotFound) return LogStart{};
  if (!found) return std::unexpected(found.error());
  if (const auto start = start_in(found->bytes)) return *start;
  return fail(ErrorCode::kCorruption,
              fmt::format("cannot read the write-ahead log of {}: {} is damaged, and says where the log begins; run "
                          "`marigram db verify --repair`",
                          storage.name(), kStart));
}

Status write_log_start(Storage& storage, wal::Lsn lsn, const wal::LogId& id) {
  MARIGRAM_TRY(storage.store("")->put(kStart, text_of(lsn, id)));
  return {};
}

Status forget_log_start(Storage& storage) {
  const Status removed = storage.store("")->remove(kStart);
  return !removed && removed.error().code == ErrorCode::kNotFound ? Status() : removed;
}

}  // namespace marigram::db
