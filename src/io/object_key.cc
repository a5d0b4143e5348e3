#include "io/object_key.h"

#include "base/hash.h"

#include <fmt/format.h>

#include <algorithm>

namespace marigram::io {
namespace {

constexpr std::string_view kTemporaryPrefix = ".tmp-";
constexpr std::size_t kUuidLength = 36;

/// What is wrong with one part of a key; empty if nothing is.
std::string fault_of_part(std::string_view part) {
  if (part.empty()) return "a part is empty";
  if (part == "." || part == "..") return fmt::format("a part is '{}'", part);
  if (part.size() > kKeyPartBytesMax) return fmt::format("a part has {} bytes", part.size());
  if (is_temporary_name(part)) return fmt::format("'{}' is the name of a temporary file", part);
  return {};
}

std::string fault_of_key(std::string_view key) {
  if (key.empty()) return "it is empty";
  if (key.size() > kKeyBytesMax) return fmt::format("it has {} bytes", key.size());
  if (key.find('\0') != std::string_view::npos) return "it contains a NUL";
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    if (std::string fault = fault_of_part(key.substr(begin, end - begin)); !fault.empty()) return fault;
    begin = end + 1;
  }
  return {};
}

}  // namespace

Status check_key(std::string_view key, std::string_view store) {
  const std::string fault = fault_of_key(key);
  if (fault.empty()) return {};
  return fail(
      ErrorCode::kInvalidInput,
      fmt::format("cannot use the key in {}: {}; got '{}', want parts of 1 to {} bytes joined by '/', {} bytes in "
                  "all, without '.' and '..'",
                  store, fault, key.substr(0, kKeyBytesMax), kKeyPartBytesMax, kKeyBytesMax));
}

Status check_prefix(std::string_view prefix, std::string_view store) {
  if (prefix.empty()) return {};
  return check_key(prefix, store);
}

bool is_under(std::string_view key, std::string_view prefix) {
  if (prefix.empty()) return true;
  return key.starts_with(prefix) && (key.size() == prefix.size() || key[prefix.size()] == '/');
}

std::string_view folder_of(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
}

std::string_view name_of(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

std::string make_temporary_name() {
  return std::string(kTemporaryPrefix) + random_uuid();
}

bool is_temporary_name(std::string_view name) {
  if (!name.starts_with(kTemporaryPrefix)) return false;
  const std::string_view uuid = name.substr(kTemporaryPrefix.size());
  return uuid.size() == kUuidLength &&
         std::ranges::all_of(uuid, [](char c) { return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace marigram::io
