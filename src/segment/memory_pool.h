// Where the large buffers of reading and writing come from.
#pragma once

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>

namespace arrow {
class Buffer;
class MemoryPool;
}  // namespace arrow

namespace marigram::segment {

/// Arrow's jemalloc, if it was built with it, else its default. Under mimalloc, which is that, the kernel zeroes
/// several times the memory that is used, in huge pages: half the processor time of a process's first append.
/// Thread-safe.
arrow::MemoryPool* memory_pool();

/// A buffer from there, or a large one from io/large_memory.h, its bytes unset. `doing`: "cannot read data/x.parquet".
/// kResourceExhausted without memory.
Result<std::unique_ptr<arrow::Buffer>> allocate_buffer(std::int64_t bytes, const std::string& doing);

}  // namespace marigram::segment
