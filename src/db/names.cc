#include "db/names.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <cstddef>

namespace marigram::db {
namespace {

constexpr std::size_t kFolderBytesMax = 240;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

Result<std::string> folder_of_name(std::string_view name, std::string_view what) {
  const auto bad = [&](std::string_view why) {
    constexpr std::size_t kShown = 40;
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot use {:?}{} as name of a {}: {}", name.substr(0, kShown),
                                                      name.size() > kShown ? "..." : "", what, why));
  };
  if (name.empty()) return bad("it is empty; give it one");
  if (name.contains('\0')) return bad("it has a NUL byte");
  if (!simdjson::validate_utf8(name)) return bad("it is not UTF-8");
  std::string folder;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (is_plain(c) || (c == '.' && i > 0)) {
      folder += c;
    } else {
      folder += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  if (folder.size() <= kFolderBytesMax) return folder;
  return bad(
      fmt::format("it takes {} bytes as a folder, want at most {}; choose a shorter one: bytes other than letters, "
                  "digits, '_', '-' and '.' take three each",
                  folder.size(), kFolderBytesMax));
}

std::optional<std::string> name_of_folder(std::string_view folder) {
  std::string name;
  for (std::size_t i = 0; i < folder.size(); ++i) {
    if (folder[i] != '%') {
      name += folder[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = folder.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) return std::nullopt;
    name += static_cast<char>(byte);
    i += 2;
  }
  const auto again = folder_of_name(name, "folder");
  if (!again || *again != folder) return std::nullopt;
  return name;
}

}  // namespace marigram::db
