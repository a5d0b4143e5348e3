// Where the large buffers of reading and writing come from.
#pragma once

namespace arrow {
class MemoryPool;
}

namespace marigram::segment {

/// Arrow's jemalloc, if it was built with it, else its default. Under mimalloc, which is that, the kernel zeroes
/// several times the memory that is used, in huge pages: half the processor time of a process's first append.
/// Thread-safe.
arrow::MemoryPool* memory_pool();

}  // namespace marigram::segment
