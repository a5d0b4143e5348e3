// What a snapshot is made of: backup.json at its root (docs/format/backup.md).
#pragma once

#include "db/storage.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::db {

inline constexpr const char* kManifest = "backup.json";
inline constexpr std::size_t kHashDigits = 64;  // of Blake3

struct BackupFile {
  std::string path = {};  // in the table's folder
  std::uint64_t bytes = 0;
  std::string hash = {};

  friend bool operator==(const BackupFile&, const BackupFile&) = default;
};

struct BackupTable {
  std::string name_space = {};
  std::string name = {};
  std::uint64_t version = 0;
  std::uint64_t rows = 0;              // of its segments
  std::vector<BackupFile> files = {};  // by path

  std::string text() const { return name_space + "." + name; }
  /// Null: there is none of that path. O(log files).
  const BackupFile* find(std::string_view path) const;
  friend bool operator==(const BackupTable&, const BackupTable&) = default;
};

struct BackupManifest {
  std::string id = {};    // that of the snapshot's marigram.json
  std::string base = {};  // the id of the snapshot that it shares files with; empty: none
  Instant time = {};
  std::vector<BackupTable> tables = {};  // by namespace, then name

  /// Null: there is no such table. O(log tables).
  const BackupTable* find(std::string_view name_space, std::string_view name) const;
  friend bool operator==(const BackupManifest&, const BackupManifest&) = default;
};

/// Its last member is a checksum of all before it.
Result<std::string> encode_manifest(const BackupManifest& manifest);
/// kCorruption unless it is what encode_manifest wrote, to the byte; kInvalidInput: of a format that is not known.
Result<BackupManifest> decode_manifest(std::string_view text);
/// kNotFound: the folder has none. Errors name it.
Result<BackupManifest> read_manifest(Storage& storage);

}  // namespace marigram::db
