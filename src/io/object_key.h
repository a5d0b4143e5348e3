// Keys of objects and names of temporary files: the rules that all stores share.
#pragma once

#include <marigram/error.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace marigram::io {

inline constexpr std::size_t kKeyBytesMax = 1'024;    // what object stores allow
inline constexpr std::size_t kKeyPartBytesMax = 255;  // what file systems allow

/// kInvalidInput, naming `store`, unless `key` is canonical (see object_store.h). Makes no system call.
Status check_key(std::string_view key, std::string_view store);
/// As check_key, and "" is allowed.
Status check_prefix(std::string_view prefix, std::string_view store);

/// Whether `key` is `prefix` or lies below it by whole parts. "" is above all.
bool is_under(std::string_view key, std::string_view prefix);
/// "a/b" of "a/b/c"; "" of "c".
std::string_view folder_of(std::string_view key);
/// "c" of "a/b/c".
std::string_view name_of(std::string_view key);

/// `.tmp-<uuid>`, the name of an object that is being written. No key may have such a part.
std::string make_temporary_name();
bool is_temporary_name(std::string_view name);

}  // namespace marigram::io
