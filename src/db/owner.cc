#include "db/owner.h"

#include "base/try.h"
#include "io/posix_file_system.h"
#include "io/storage_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <string>

namespace marigram::db {
namespace {

constexpr const char* kOwnerFile = "wal/OWNER";

}  // namespace

Result<Owner> Owner::take(Storage& storage, const Clock& clock) {
  const auto store = storage.store("");
  if (const auto made = store->put(kOwnerFile, "", io::PutCondition::if_absent());
      !made && made.error().code != ErrorCode::kAlreadyExists) {
    return std::unexpected(made.error());
  }
  const std::string path = storage.path(kLogFolder).string();
  const io::Attempt attempt{.doing = "lock", .key = "", .store = path};
  MARIGRAM_ASSIGN(auto tree, io::explain(storage.files()->open_tree(path), attempt));
  MARIGRAM_ASSIGN(auto folder, io::explain(tree->open_folder(""), attempt));
  auto lock = folder->try_lock();
  if (!lock && lock.error().value == EWOULDBLOCK) {
    const auto owner = store->read(kOwnerFile);
    return fail(ErrorCode::kConflict,
                fmt::format("cannot open {} for writing: it is owned by {}; close it there, or open it read-only",
                            storage.name(), owner && !owner->bytes.empty() ? owner->bytes : "another process"));
  }
  if (!lock) return std::unexpected(io::storage_error(lock.error(), attempt));
  const std::string self = fmt::format("{} since {}", io::process_name(), format_rfc3339(clock.now()));
  MARIGRAM_TRY(store->put(kOwnerFile, self));
  return Owner(std::move(tree), std::move(folder), std::move(*lock));
}

}  // namespace marigram::db
