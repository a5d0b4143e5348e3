// The machine's own file system, by Linux system calls.
#pragma once

#include "io/file_system.h"

#include <marigram/error.h>

#include <filesystem>
#include <memory>
#include <string>

namespace marigram::io {

std::shared_ptr<FileSystem> make_posix_file_system();

/// The path from the root on; one from the working folder is made absolute. kIo if there is no working folder.
Result<std::filesystem::path> absolute_path(const std::filesystem::path& path);
/// This process, for people: "process 7 on a1".
std::string process_name();

}  // namespace marigram::io
