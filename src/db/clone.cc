#include "db/clone.h"

#include "base/hash.h"
#include "base/try.h"
#include "db/copy_files.h"
#include "db/storage.h"
#include "io/posix_file_system.h"
#include "log/log.h"
#include "model/tiers.h"
#include "table/append.h"
#include "table/vacuum.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace marigram::db {
namespace {

/// The version that the engine reads, and those before it that the table has not given up.
Status share_version(const table::Engine& source, const std::shared_ptr<io::ObjectStore>& to) {
  if (!source.has_log()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot clone {}: it is a zola folder, which has no versions; copy the folder",
                            source.store().name()));
  }
  log::TableState state = *source.state();
  MARIGRAM_ASSIGN(const Keys needed, keys_of(state, source.store()));
  MARIGRAM_ASSIGN(Keys keys, table::files_of_history(source));
  keys.insert(needed.begin(), needed.end());
  for (const std::string& key : keys) {
    const Status shared = share_file(source.store(), *to, key);
    const bool gone = !shared && shared.error().code == ErrorCode::kNotFound && !needed.contains(key);
    if (!shared && !gone && !may_be_gone(key, shared.error())) return shared;
  }
  // What was given up since the version may be gone. So a file that is not found is of none that is kept.
  MARIGRAM_ASSIGN(const log::TableState newest, source.log().load());
  KeptHistory kept{.oldest = std::min(newest.oldest, state.version), .names = state.version_names};
  std::erase_if(kept.names,
                [&](const auto& name) { return name.second < kept.oldest && newest.has_given_up(name.second); });
  MARIGRAM_TRY(finish_copy(state, kept, to, *source.environment().clock));
  return {};
}

/// Records of the write-ahead log are of a table of that name; those that are there by now are of an earlier one.
Status leave_records_behind(table::Environment environment, table::FlushLog& log) {
  MARIGRAM_ASSIGN(const auto engine, table::Engine::open(std::move(environment), {}));
  MARIGRAM_ASSIGN(const log::WalMark mark, log.mark_after(engine->state()->wal));
  MARIGRAM_TRY(log.make_durable());
  MARIGRAM_TRY(table::commit_wal_mark(*engine, mark));
  return {};
}

}  // namespace

Status clone_table(Core& core, std::string_view name_space, std::string_view from, std::string_view to,
                   const OpenOptions& at) {
  MARIGRAM_TRY(core.check_writable());
  MARIGRAM_ASSIGN(table::LiveTable* const live, core.catalogue().find(name_space, from));
  MARIGRAM_ASSIGN(const std::string folder, Catalogue::folder(name_space, from));
  MARIGRAM_TRY(core.catalogue().check_room(name_space, live->series().size()));
  MARIGRAM_TRY(core.flush(*live));
  const auto environment_in = [&](const std::string& path) {
    const Surroundings& surroundings = core.surroundings();
    auto store = core.storage().split_store(path, model::kColdFolder);
    return table::Environment{.store = store, .clock = surroundings.clock, .pool = surroundings.pool, .cold = store};
  };
  MARIGRAM_ASSIGN(const auto source, table::Engine::open(environment_in(folder), at));
  return core.catalogue().adopt(
      name_space, to, [&](const std::string& made) { return share_version(*source, core.storage().store(made)); },
      [&](const std::string& made) { return leave_records_behind(environment_in(made), core.marks()); });
}

Status clone_table(const table::Engine& engine, const std::filesystem::path& root) {
  const auto storage = make_file_storage(io::make_posix_file_system(), root.parent_path());
  const std::string name = root.filename().string();
  const std::string made = fmt::format(".clone-{}", random_uuid());
  const auto run = [&]() -> Status {
    MARIGRAM_ASSIGN(const auto there, storage->store(name)->list(""));
    if (!there.empty()) {
      return fail(ErrorCode::kAlreadyExists,
                  fmt::format("cannot clone to {}: it is not empty; want a folder that does not exist", root.string()));
    }
    MARIGRAM_TRY(share_version(engine, storage->store(made)));
    MARIGRAM_TRY(storage->remove_folder(name));  // an empty one
    return storage->move_folder(made, name);
  };
  Status done = run();
  if (!done) [[maybe_unused]]
    const Status removed = storage->remove_folder(made);
  return done;
}

}  // namespace marigram::db
