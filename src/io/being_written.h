// Whether another process, or another descriptor of this one, is writing a file.
#pragma once

#include "io/file_system.h"

namespace marigram::io {

/// Whether the file that `fd` (open for reading only) refers to is open for writing anywhere. Asks the kernel by a read
/// lease; where the file system has none or does not let us, looks through the open files of this host's processes.
/// True if neither can tell.
FileResult<bool> is_being_written(int fd);

/// The second way alone, for the test.
FileResult<bool> is_being_written_by_processes(int fd);

}  // namespace marigram::io
