#include "io/local_store.h"

#include "io/file_store.h"
#include "io/posix_file_system.h"

#include <fmt/format.h>

#include <string>
#include <system_error>

namespace marigram::io {

Result<std::shared_ptr<ObjectStore>> make_local_store(const std::filesystem::path& root) {
  const auto refuse = [&root](const std::string& cause) {
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot open a store: {}; got '{}', want a folder, or a name for one", cause, root.string()));
  };
  if (root.empty()) return refuse("the path is empty");
  if (root.native().find('\0') != std::string::npos) return refuse("the path contains a NUL");
  // Absolute once and for all: the process may change its working folder. Links are resolved, so that the folders above
  // the root are the ones its name leads through.
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::weakly_canonical(std::filesystem::absolute(root, error), error);
  if (error) return refuse(error.message());
  if (!absolute.has_filename() && absolute.has_relative_path()) absolute = absolute.parent_path();  // "a/b/" is "a/b"
  const std::filesystem::file_status found = std::filesystem::status(absolute, error);
  if (std::filesystem::exists(found) && !std::filesystem::is_directory(found)) return refuse("it is not a folder");
  return make_file_store(make_posix_file_system(), std::move(absolute));
}

std::optional<std::string> key_below(const std::filesystem::path& root, const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::weakly_canonical(std::filesystem::absolute(root, error), error);
  const std::filesystem::path whole = std::filesystem::weakly_canonical(std::filesystem::absolute(file, error), error);
  const std::filesystem::path inside = whole.lexically_relative(folder);
  if (error || inside.empty() || *inside.begin() == ".." || inside == ".") return std::nullopt;
  return inside.generic_string();
}

}  // namespace marigram::io
