// Names of namespaces and tables as folders.
#pragma once

#include <marigram/error.h>

#include <optional>
#include <string>
#include <string_view>

namespace marigram::db {

/// A folder's name that no other name has, whatever the name contains: bytes other than letters, digits, '_' and '-'
/// as %XX, and dots behind the first byte as they are. kInvalidInput: empty, no UTF-8, a NUL, or too long for a file
/// system; `what` says of what it is the name.
Result<std::string> folder_of_name(std::string_view name, std::string_view what);
/// The reverse; unset for folders that folder_of_name would not make.
std::optional<std::string> name_of_folder(std::string_view folder);

}  // namespace marigram::db
