#include "db/copy.h"

#include "base/hash.h"
#include "base/try.h"
#include "db/core.h"
#include "io/object_store.h"
#include "log/table_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

constexpr const char* kDescription = "marigram.json";
constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::string_view kLog = "_timeseries_log/";
constexpr std::string_view kCheckpoints = "_timeseries_log/_checkpoints/";

Status copy_object(const io::ObjectStore& from, io::ObjectStore& to, const std::string& key) {
  MARIGRAM_ASSIGN(const auto source, from.open(key));
  MARIGRAM_ASSIGN(const auto target, to.create(key, io::PutCondition::if_absent()));
  std::vector<std::byte> piece;
  for (std::uint64_t offset = 0; offset < source->size(); offset += piece.size()) {
    piece.resize(std::min<std::uint64_t>(kPieceBytes, source->size() - offset));
    MARIGRAM_TRY(source->read_at(offset, piece));
    MARIGRAM_TRY(target->write(piece));
  }
  return target->finish();
}

/// Whether the object is of the log, and of a later version than `version`.
bool is_later(std::string_view key, std::uint64_t version) {
  const std::string_view name = key.substr(key.find_last_of('/') + 1);
  std::uint64_t number = 0;
  for (const char digit : name.substr(0, name.find('.'))) {
    if (digit < '0' || digit > '9') return true;
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return number > version;
}

/// A checkpoint goes when newer ones come, and nobody needs it.
bool may_be_gone(std::string_view key, const Error& error) {
  return error.code == ErrorCode::kNotFound && key.starts_with(kCheckpoints);
}

/// The objects that make up a version of a table: its commits, and the files that it refers to. The history before it
/// is there, but not the files of segments that were taken out.
Status copy_table(const log::TableState& state, const io::ObjectStore& from, io::ObjectStore& to) {
  std::set<std::string, std::less<>> keys = log::files_of(state);
  MARIGRAM_ASSIGN(const auto log, from.list(kLog.substr(0, kLog.size() - 1)));
  for (const io::ObjectInfo& object : log) {
    if (!is_later(object.key, state.version)) keys.insert(object.key);
  }
  for (const std::string& key : keys) {
    const Status copied = copy_object(from, to, key);
    if (!copied && !may_be_gone(key, copied.error())) return copied;
  }
  MARIGRAM_TRY(to.put(std::string(kLog) + "CURRENT", fmt::format("{}\n", state.version)));
  return {};
}

}  // namespace

Status describe(Storage& storage) {
  const std::string text =
      fmt::format("{{\"marigram\":\"database\",\"format\":{},\"id\":\"{}\"}}\n", kFormat, random_uuid());
  MARIGRAM_TRY(storage.store("")->put(kDescription, text, io::PutCondition::if_absent()));
  return {};
}

Status check_description(Storage& storage) {
  const auto found = storage.store("")->read(kDescription);
  if (!found && found.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no database at {}", storage.name()));
  }
  if (!found) return std::unexpected(found.error());
  if (found->bytes.contains(fmt::format("\"format\":{},", kFormat))) return {};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot open {}: its {} says \"{}\", want format {}; a newer Marigram may have made it",
                          storage.name(), kDescription, found->bytes.substr(0, 100), kFormat));
}

Status check_nothing_there(Storage& storage) {
  MARIGRAM_ASSIGN(const auto objects, storage.store("")->list(""));
  if (objects.empty()) return {};
  return fail(ErrorCode::kAlreadyExists,
              fmt::format("cannot copy to {}: it is not empty; want a folder that does not exist", storage.name()));
}

Status make_snapshot(Core& core, Storage& target) {
  MARIGRAM_TRY(check_nothing_there(target));
  if (!core.options().read_only) MARIGRAM_TRY(core.flush());
  MARIGRAM_ASSIGN(const auto name_spaces, core.catalogue().name_spaces());
  for (const std::string& name_space : name_spaces) {
    MARIGRAM_ASSIGN(const auto tables, core.catalogue().tables(name_space));
    for (const std::string& table : tables) {
      MARIGRAM_ASSIGN(const table::LiveTable* const live, core.table_to_read(name_space, table));
      MARIGRAM_ASSIGN(const std::string folder, Catalogue::folder(name_space, table));
      MARIGRAM_TRY(copy_table(*live->engine().state(), live->engine().store(), *target.store(folder)));
    }
  }
  return describe(target);
}

Status restore_snapshot(Storage& from, Storage& target) {
  MARIGRAM_TRY(check_description(from));
  MARIGRAM_TRY(check_nothing_there(target));
  const auto source = from.store("");
  const auto copy = target.store("");
  MARIGRAM_ASSIGN(const auto objects, source->list("tables"));
  for (const io::ObjectInfo& object : objects) MARIGRAM_TRY(copy_object(*source, *copy, object.key));
  return copy_object(*source, *copy, kDescription);
}

}  // namespace marigram::db
