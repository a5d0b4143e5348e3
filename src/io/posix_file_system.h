// The machine's own file system, by Linux system calls.
#pragma once

#include "io/file_system.h"

#include <memory>

namespace marigram::io {

std::shared_ptr<FileSystem> make_posix_file_system();

}  // namespace marigram::io
