#include "segment/memory_pool.h"

#include "io/huge_pages.h"
#include "segment/arrow_status.h"

#include <marigram/error.h>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/status.h>

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

Result<std::unique_ptr<arrow::Buffer>> allocate_buffer(std::int64_t bytes, const std::string& doing, bool huge_pages) {
  constexpr std::int64_t kPage = 2 << 20;
  auto buffer = huge_pages ? arrow::AllocateResizableBuffer((bytes + kPage - 1) / kPage * kPage, kPage, memory_pool())
                           : arrow::AllocateResizableBuffer(bytes, memory_pool());
  if (!buffer.ok()) return std::unexpected(from_arrow_status(buffer.status(), doing, true));
  if (!huge_pages) return *std::move(buffer);
  io::advise_huge_pages((*buffer)->mutable_data(), static_cast<std::size_t>((*buffer)->size()));
  const arrow::Status resized = (*buffer)->Resize(bytes, false);
  if (!resized.ok()) return std::unexpected(from_arrow_status(resized, doing, true));
  return *std::move(buffer);
}

}  // namespace marigram::segment
