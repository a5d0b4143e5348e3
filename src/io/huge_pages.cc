#include "io/huge_pages.h"

#include <cstdint>

#include <sys/mman.h>

namespace marigram::io {

void advise_huge_pages(void* begin, std::size_t bytes) {
  constexpr std::size_t kPage = 4'096;
  const std::size_t before = (kPage - reinterpret_cast<std::uintptr_t>(begin) % kPage) % kPage;
  if (bytes < before + kPage) return;
  (void)::madvise(static_cast<char*>(begin) + before, (bytes - before) / kPage * kPage, MADV_HUGEPAGE);
}

}  // namespace marigram::io
