#include "db/log_start.h"

#include "base/hash.h"
#include "base/try.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>

namespace marigram::db {
namespace {

constexpr const char* kStart = "wal/START";

/// The number, and the CRC-32C of its digits: a start that is too late would hide batches.
std::string text_of(wal::Lsn start) {
  const std::string digits = fmt::format("{}", start);
  return fmt::format("{} {:08x}\n", digits, crc32c(digits));
}

}  // namespace

Result<wal::Lsn> read_log_start(Storage& storage) {
  const auto found = storage.store("")->read(kStart);
  if (!found && found.error().code == ErrorCode::kNotFound) return 0;
  if (!found) return std::unexpected(found.error());
  const std::string_view text = found->bytes;
  wal::Lsn start = 0;
  std::from_chars(text.data(), text.data() + text.size(), start);
  if (text == text_of(start)) return start;
  return fail(ErrorCode::kCorruption,
              fmt::format("cannot read the write-ahead log of {}: {} is damaged, and says where the log begins; run "
                          "`marigram db verify --repair`",
                          storage.name(), kStart));
}

Status write_log_start(Storage& storage, wal::Lsn start) {
  MARIGRAM_TRY(storage.store("")->put(kStart, text_of(start)));
  return {};
}

Status forget_log_start(Storage& storage) {
  const Status removed = storage.store("")->remove(kStart);
  return !removed && removed.error().code == ErrorCode::kNotFound ? Status() : removed;
}

}  // namespace marigram::db
