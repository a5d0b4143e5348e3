// The names of coverage files, which carry a hash of what is inside (docs/format/coverage.md).
#include "base/bucket_width.h"
#include "base/hash.h"
#include "coverage/coverage_map.h"
#include "model/index.h"

#include <marigram/table.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>

namespace marigram::coverage {
namespace {

constexpr std::size_t kHashDigits = 32;
constexpr std::string_view kNul("\0", 1);
constexpr std::string_view kSegmentFolder = "_coverage/segments/";
constexpr std::string_view kTableFolder = "_coverage/table/";
constexpr std::string_view kExtension = ".roar";

template <typename T>
std::string little_endian(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return bytes;
}

std::string bucket_bytes(BucketWidth bucket) {
  return bucket_unit_letter(bucket.unit) + little_endian(bucket.count);
}

std::string length_prefixed(std::string_view text) {
  return fmt::format("{}:{}", text.size(), text);
}

/// The index kind as the file of a table without tags hashes it.
std::string kind_bytes(const model::IndexKind& kind) {
  if (const auto* int64 = std::get_if<model::Int64Index>(&kind)) return "I" + little_endian(int64->step);
  if (const auto* uint64 = std::get_if<model::UInt64Index>(&kind)) return "U" + little_endian(uint64->step);
  const auto& timestamp = std::get<model::TimestampIndex>(kind);
  std::string bytes = "T" + bucket_bytes(timestamp.bucket);
  bytes += kNul;
  return bytes + (timestamp.timezone ? "S" + *timestamp.timezone : "N");
}

/// The same for a table with tags: no NUL, and the zone with its length.
std::string kind_bytes_with_tags(const model::IndexKind& kind) {
  const auto* timestamp = std::get_if<model::TimestampIndex>(&kind);
  if (timestamp == nullptr) return kind_bytes(kind);
  return "T" + bucket_bytes(timestamp->bucket) +
         (timestamp->timezone ? "S" + length_prefixed(*timestamp->timezone) : "N");
}

/// All that is hashed before the file's bytes.
std::string hash_prefix(Dialect dialect, const model::IndexSpec& index, FileRole role) {
  const std::string_view role_name = role == FileRole::kSegment ? "segcov" : "tblcov";
  if (dialect == Dialect::kV1) {
    return fmt::format("{}-v1{}{}{}{}{}", role_name, kNul,
                       bucket_bytes(std::get<model::TimestampIndex>(index.kind).bucket), kNul, index.column, kNul);
  }
  if (index.tags.empty()) {
    return fmt::format("{}-v2{}{}{}{}{}", role_name, kNul, index.column, kNul, kind_bytes(index.kind), kNul);
  }
  std::string prefix =
      fmt::format("entity-{}-v1{}C{}E{}:", role_name, kNul, length_prefixed(index.column), index.tags.size());
  for (const std::string& tag : index.tags) prefix += length_prefixed(tag);
  return prefix + "K" + kind_bytes_with_tags(index.kind) + std::string(kNul);
}

std::string with_attempt(Dialect dialect, const std::string& hash, const std::string& attempt) {
  return dialect == Dialect::kV1 ? hash : fmt::format("{}-{}", hash, attempt);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hash_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Takes off `12-`, the version in front of a table file's name.
bool consume_version(std::string_view& name) {
  const std::size_t digits = static_cast<std::size_t>(std::ranges::find_if_not(name, is_digit) - name.begin());
  name.remove_prefix(digits);
  return digits > 0 && consume(name, "-");
}

}  // namespace

std::string file_hash(Dialect dialect, const model::IndexSpec& index, FileRole role, std::string_view bytes) {
  Blake3 hash;
  return hash.update(hash_prefix(dialect, index, role)).update(bytes).hex(kHashDigits);
}

std::string segment_file_path(Dialect dialect, const std::string& hash, const std::string& attempt) {
  return fmt::format("{}segcov-{}{}", kSegmentFolder, with_attempt(dialect, hash, attempt), kExtension);
}

std::string table_file_path(Dialect dialect, std::uint64_t version, const std::string& hash,
                            const std::string& attempt) {
  return fmt::format("{}{}-tblcov-{}{}", kTableFolder, version, with_attempt(dialect, hash, attempt), kExtension);
}

std::optional<std::string> hash_in_path(std::string_view path) {
  if (!path.ends_with(kExtension)) return std::nullopt;
  path.remove_suffix(kExtension.size());
  const bool named = consume(path, kSegmentFolder)
                         ? consume(path, "segcov-")
                         : consume(path, kTableFolder) && consume_version(path) && consume(path, "tblcov-");
  if (!named || path.size() < kHashDigits) return std::nullopt;
  const std::string_view hash = path.substr(0, kHashDigits);
  const std::string_view attempt = path.substr(kHashDigits);
  if (!std::ranges::all_of(hash, is_hash_digit)) return std::nullopt;
  if (attempt.find('/') != std::string_view::npos) return std::nullopt;
  if (!attempt.empty() && (attempt.front() != '-' || attempt.size() == 1)) return std::nullopt;
  return std::string(hash);
}

}  // namespace marigram::coverage
