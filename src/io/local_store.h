// Objects as files under a folder.
#pragma once

#include "io/object_store.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace marigram::io {

/// A store over `root`, which is made when the first object is put. Writes go to `<folder>/.tmp-<uuid>` beside the
/// final name, are fsynced and renamed (RENAME_NOREPLACE, else link+unlink, for kIfAbsent; kIfMatch holds flock on the
/// folder while it compares), then the folder is fsynced, and every folder made on the way, up to the root.
Result<std::shared_ptr<ObjectStore>> make_local_store(const std::filesystem::path& root);

/// The key under which the store over `root` holds `file`, an absolute path or one from the working folder; unset if it
/// lies elsewhere. Symbolic links are followed.
std::optional<std::string> key_below(const std::filesystem::path& root, const std::filesystem::path& file);

}  // namespace marigram::io
