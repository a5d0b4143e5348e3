#include "db/copy_files.h"

#include "base/hash.h"
#include "base/try.h"
#include "coverage/coverage_map.h"
#include "io/link_object.h"
#include "io/object_key.h"
#include "log/commit_codec.h"
#include "log/commit_files.h"
#include "log/current.h"
#include "log/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::string_view kLog = "_timeseries_log";
constexpr std::string_view kCheckpoints = "_timeseries_log/_checkpoints/";

/// Calls `take` with all bytes of an object, piece by piece.
template <typename Take>
Result<BackupFile> read_pieces(const io::ReadableObject& source, const std::string& key, const Take& take) {
  BackupFile file{.path = key, .bytes = source.size()};
  Blake3 hash;
  std::vector<std::byte> piece;
  for (std::uint64_t offset = 0; offset < source.size(); offset += piece.size()) {
    piece.resize(std::min<std::uint64_t>(kPieceBytes, source.size() - offset));
    MARIGRAM_TRY(source.read_at(offset, piece));
    hash.update(std::span<const std::byte>(piece));
    MARIGRAM_TRY(take(std::span<const std::byte>(piece)));
  }
  file.hash = hash.hex(kHashDigits);
  return file;
}

Result<BackupFile> copy_object(const io::ReadableObject& source, io::ObjectStore& to, const std::string& key) {
  MARIGRAM_ASSIGN(const auto target, to.create(key, io::PutCondition::if_absent()));
  const auto write = [&](std::span<const std::byte> piece) { return target->write(piece); };
  MARIGRAM_ASSIGN(BackupFile file, read_pieces(source, key, write));
  MARIGRAM_TRY(target->finish());
  return file;
}

/// Whether the object is of the log, and of a later version than `version`.
bool is_later(std::string_view key, std::uint64_t version) {
  const std::string_view name = io::name_of(key);
  std::uint64_t number = 0;
  for (const char digit : name.substr(0, name.find('.'))) {
    if (digit < '0' || digit > '9') return true;
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return number > version;
}

/// 8-4-4-4-12 lower-case hex digits.
bool is_uuid(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

}  // namespace

Result<BackupFile> read_file(const io::ObjectStore& store, const std::string& key) {
  MARIGRAM_ASSIGN(const auto object, store.open(key));
  return read_pieces(*object, key, [](std::span<const std::byte>) -> Status { return {}; });
}

Result<BackupFile> copy_file(const io::ObjectStore& from, io::ObjectStore& to, const std::string& key) {
  MARIGRAM_ASSIGN(const auto source, from.open(key));
  return copy_object(*source, to, key);
}

Status share_file(const io::ObjectStore& from, io::ObjectStore& to, const std::string& key) {
  MARIGRAM_ASSIGN(const auto source, from.open(key));
  MARIGRAM_ASSIGN(const bool linked, io::link_object(to, key, *source));
  if (!linked) MARIGRAM_TRY(copy_object(*source, to, key));
  return {};
}

Result<Keys> keys_of(const log::TableState& state, const io::ObjectStore& store) {
  Keys keys = log::files_of(state);
  MARIGRAM_ASSIGN(const auto log, store.list(kLog));
  for (const io::ObjectInfo& object : log) {
    if (!is_later(object.key, state.version)) keys.insert(object.key);
  }
  return keys;
}

bool may_be_gone(std::string_view key, const Error& error) {
  return error.code == ErrorCode::kNotFound && key.starts_with(kCheckpoints);
}

bool is_named_for_good(std::string_view key) {
  if (coverage::hash_in_path(key)) return true;
  constexpr std::size_t kUuidChars = 36;
  std::string_view stem = io::name_of(key);
  stem = stem.substr(0, stem.rfind('.'));
  return !key.starts_with(kLog) && stem.size() >= kUuidChars && is_uuid(stem.substr(stem.size() - kUuidChars));
}

Result<Keys> finish_copy(log::TableState& state, const KeptHistory& kept, const std::shared_ptr<io::ObjectStore>& to,
                         const Clock& clock) {
  Keys added = {log::kCurrentPath};
  MARIGRAM_TRY(to->put(log::kCurrentPath, log::format_current(state.version)));
  const bool is_cold_elsewhere = !state.tiers.cold_root.empty();
  if (!is_cold_elsewhere && kept.oldest <= state.oldest && kept.names == state.version_names) return added;
  const auto propose = [&](const log::TableState& now) -> Result<log::Proposal> {
    log::Proposal proposal{.actions = {}, .extension = {.operation = "give_up_history"}};
    log::Extension& extension = proposal.extension;
    extension.keeps_rollups = true;
    if (kept.oldest > now.oldest) extension.oldest = kept.oldest;
    if (kept.names != now.version_names) extension.version_names = kept.names;
    if (is_cold_elsewhere) {
      // The original's cold segments lie there; the copy has them in its own folder.
      extension.operation = "set_tiers";
      extension.tiers = now.tiers;
      extension.tiers->cold_root.clear();
    }
    return proposal;
  };
  MARIGRAM_TRY(log::Log(to, clock).commit_with_retry(state, propose));
  added.insert(log::commit_path(state.version));
  return added;
}

std::uint64_t rows_of(const log::TableState& state) {
  std::uint64_t rows = 0;
  for (const auto& [key, segment] : state.segments) rows += segment->row_count;
  return rows;
}

}  // namespace marigram::db
