// Files of a table on their way to another folder: copied, or shared.
#pragma once

#include "base/clock.h"
#include "db/backup_manifest.h"
#include "io/object_store.h"
#include "log/table_state.h"

#include <marigram/error.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace marigram::db {

using Keys = std::set<std::string, std::less<>>;

/// Reads all of an object.
Result<BackupFile> read_file(const io::ObjectStore& store, const std::string& key);
/// The target is made. Returns what was read on the way.
Result<BackupFile> copy_file(const io::ObjectStore& from, io::ObjectStore& to, const std::string& key);
/// Shares an object if that can be, else copies it. For objects that are never changed in place.
Status share_file(const io::ObjectStore& from, io::ObjectStore& to, const std::string& key);

/// The objects that make up a version of a table, but for CURRENT: its commits, and the files that it refers to. The
/// history before it is there, but not the files of segments that were taken out.
Result<Keys> keys_of(const log::TableState& state, const io::ObjectStore& store);
/// A checkpoint goes when newer ones come, and nobody needs it.
bool may_be_gone(std::string_view key, const Error& error);
/// Whether the object of that key has the same bytes wherever it is: its name has a random part, or a hash of them.
bool is_named_for_good(std::string_view key);

/// Versions whose files a copy has.
struct KeptHistory {
  std::uint64_t oldest = 0;                         // from this one on,
  std::map<std::string, std::uint64_t> names = {};  // and those that have a name
};

/// The last steps of a copy whose objects are in `to`: its log ends at `state`, all of it is in one folder, and
/// versions that are not kept are given up. Returns the keys that came, and leaves `state` at the version that the copy
/// has.
Result<Keys> finish_copy(log::TableState& state, const KeptHistory& kept, const std::shared_ptr<io::ObjectStore>& to,
                         const Clock& clock);

/// Rows of all segments.
std::uint64_t rows_of(const log::TableState& state);

}  // namespace marigram::db
