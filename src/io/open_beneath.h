// Opening paths that must not lead out of a folder, whoever swaps folders for symbolic links meanwhile.
#pragma once

#include "io/descriptor.h"
#include "io/file_system.h"

#include <string>

namespace marigram::io {

/// Opens `path`, relative to the folder `root` ("" is the folder itself), with the open(2) `flags` and O_CLOEXEC.
/// EXDEV if `..` or a symbolic link leads outside, or a link is absolute. Asks the kernel (openat2), or walks where the
/// kernel is too old or forbids it.
FileResult<Descriptor> open_beneath(int root, const std::string& path, int flags);

/// The walk, part by part: what open_beneath does without openat2. Here for the test that compares the two.
FileResult<Descriptor> open_beneath_by_walk(int root, const std::string& path, int flags);
/// The kernel's way; ENOSYS or EPERM where it is not to be had.
FileResult<Descriptor> open_beneath_by_kernel(int root, const std::string& path, int flags);

}  // namespace marigram::io
