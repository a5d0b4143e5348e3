// Memory in pages of 2 MiB.
#pragma once

#include <cstddef>

namespace marigram::io {

/// Asks the kernel for such pages: memory that is touched for the first time then takes some faults, not thousands.
/// Where it has none to give, nothing changes.
void advise_huge_pages(void* begin, std::size_t bytes);

}  // namespace marigram::io
