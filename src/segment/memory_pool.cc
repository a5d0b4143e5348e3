#include "segment/memory_pool.h"

#include <arrow/memory_pool.h>
#include <arrow/status.h>

namespace marigram::segment {

arrow::MemoryPool* memory_pool() {
  static arrow::MemoryPool* const kPool = [] {
#ifdef __SANITIZE_ADDRESS__
    return arrow::system_memory_pool();  // which the sanitizer watches
#else
    arrow::MemoryPool* pool = nullptr;
    return arrow::jemalloc_memory_pool(&pool).ok() ? pool : arrow::default_memory_pool();
#endif
  }();
  return kPool;
}

}  // namespace marigram::segment
