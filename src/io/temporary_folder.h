// A folder of its own for a test, gone with it.
#pragma once

#include "base/hash.h"

#include <filesystem>
#include <string>
#include <system_error>

namespace marigram::io {

/// `<the system's folder for temporary files>/marigram-<uuid>`, made at once, removed with all it holds when destroyed.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / ("marigram-" + random_uuid())) {
    std::filesystem::create_directory(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace marigram::io
