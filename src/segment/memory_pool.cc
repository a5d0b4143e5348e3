#include "segment/memory_pool.h"

#include "io/large_memory.h"
#include "segment/arrow_status.h"

#include <marigram/error.h>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <fmt/format.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>

#ifdef __has_feature  // clang's way to tell
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define MARIGRAM_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MARIGRAM_SANITIZED 1
#endif

namespace marigram::segment {
namespace {

#ifdef MARIGRAM_SANITIZED
constexpr std::int64_t kLargeBytes = INT64_MAX;  // none: what is used after it was given back is to be found
#else
constexpr std::int64_t kLargeBytes = 4 << 20;  // of which allocators keep less, or nothing, when they are given back
#endif

class LargeBuffer : public arrow::MutableBuffer {
 public:
  LargeBuffer(io::LargeMemory memory, std::int64_t bytes)
      : arrow::MutableBuffer(memory.data(), bytes), memory_(std::move(memory)) {}

 private:
  io::LargeMemory memory_;
};

}  // namespace

arrow::MemoryPool* memory_pool() {
  static arrow::MemoryPool* const kPool = [] {
#ifdef MARIGRAM_SANITIZED
    return arrow::system_memory_pool();  // which sanitizers watch
#else
    arrow::MemoryPool* pool = nullptr;
    return arrow::jemalloc_memory_pool(&pool).ok() ? pool : arrow::default_memory_pool();
#endif
  }();
  return kPool;
}

Result<std::unique_ptr<arrow::Buffer>> allocate_buffer(std::int64_t bytes, const std::string& doing) {
  if (bytes >= kLargeBytes) {
    auto memory = io::LargeMemory::allocate(static_cast<std::size_t>(bytes));
    if (!memory) return fail(ErrorCode::kResourceExhausted, fmt::format("{}: no memory for {} bytes", doing, bytes));
    return std::make_unique<LargeBuffer>(*std::move(memory), bytes);
  }
  auto buffer = arrow::AllocateBuffer(bytes, memory_pool());
  if (!buffer.ok()) return std::unexpected(from_arrow_status(buffer.status(), doing, true));
  return *std::move(buffer);
}

}  // namespace marigram::segment
