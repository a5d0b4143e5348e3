// An object store over a file system: what the local store and the fault store have in common, which is nearly all.
#pragma once

#include "io/file_system.h"
#include "io/object_store.h"

#include <filesystem>
#include <memory>

namespace marigram::io {

/// Objects are the regular files below `root`, an absolute path; `files` is shared with whoever else uses it.
/// - A list does not follow symbolic links to folders, and leaves out what cannot be a key, is no regular file, or is a
///   link that leads nowhere or outside.
/// - A name that is a folder is no object (kNotFound); to put over it, or below an object, is kInvalidInput.
std::shared_ptr<ObjectStore> make_file_store(std::shared_ptr<FileSystem> files, std::filesystem::path root);

}  // namespace marigram::io
