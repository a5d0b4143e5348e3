#include "db/log_start.h"

#include "base/try.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace marigram::db {
namespace {

constexpr const char* kStart = "wal/START";

}  // namespace

Result<wal::Lsn> read_log_start(Storage& storage) {
  const auto found = storage.store("")->read(kStart);
  if (!found && found.error().code == ErrorCode::kNotFound) return 0;
  if (!found) return std::unexpected(found.error());
  const std::string_view text = found->bytes;
  wal::Lsn start = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), start);
  if (error == std::errc() && std::string_view(end, text.data() + text.size()) == "\n") return start;
  return fail(ErrorCode::kCorruption,
              fmt::format("cannot read the write-ahead log of {}: {} says \"{}\", want a position; write there the "
                          "number in the name of the log's first file",
                          storage.name(), kStart, text.substr(0, 40)));
}

Status write_log_start(Storage& storage, wal::Lsn start) {
  MARIGRAM_TRY(storage.store("")->put(kStart, fmt::format("{}\n", start)));
  return {};
}

}  // namespace marigram::db
