// What becomes of mapped bytes whose file is cut short by another process: reading them raises SIGBUS, which would end
// the process.
//
// While a guard is there, such a read gets zeros, and the guard knows: who reads mapped bytes asks it afterwards, and
// throws away what was made of them. The first guard installs a handler of SIGBUS, for good. A fault that is not in
// guarded bytes goes on to the handler that was there before, or ends the process as it would have. A handler that is
// installed later has to pass on what is not its own, as this one does.
#pragma once

#include <cstddef>
#include <span>

namespace marigram::io {

/// Thread-safe.
class MappingGuard {
 public:
  /// Whole mapped pages, but for the last. The guard must end before the mapping does.
  explicit MappingGuard(std::span<const std::byte> bytes);
  ~MappingGuard();
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;

  /// Whether bytes were read that are gone.
  bool is_cut() const;

  struct Range;

 private:
  Range* range_ = nullptr;  // null of no bytes
};

}  // namespace marigram::io
