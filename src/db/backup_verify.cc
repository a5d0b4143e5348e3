// A snapshot is read and compared with its manifest.
#include "base/try.h"
#include "db/catalogue.h"
#include "db/copy.h"
#include "db/copy_files.h"
#include "io/object_store.h"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>

namespace marigram::db {
namespace {

/// What is wrong with a file; empty: nothing.
std::string compare(const io::ObjectStore& store, const BackupFile& wanted) {
  const auto found = read_file(store, wanted.path);
  if (!found && found.error().code == ErrorCode::kNotFound) return "is missing";
  if (!found) return fmt::format("cannot be read: {}", found.error().message);
  if (found->bytes != wanted.bytes) return fmt::format("has {} bytes, want {}", found->bytes, wanted.bytes);
  if (found->hash != wanted.hash) return "is not what was written";
  return {};
}

}  // namespace

Result<SnapshotVerifyReport> verify_snapshot(Storage& storage) {
  SnapshotVerifyReport report;
  auto manifest = open_snapshot(storage);
  if (!manifest) {
    // The list of files may be whole all the same: then they can be looked at.
    auto listed = read_manifest(storage);
    if (!listed && manifest.error().code != ErrorCode::kCorruption) return std::unexpected(manifest.error());
    report.problems.push_back(manifest.error().message);
    if (!listed) return report;
    manifest = std::move(listed);
  }
  std::set<std::string, std::less<>> known;
  for (const BackupTable& table : manifest->tables) {
    MARIGRAM_ASSIGN(const std::string folder, Catalogue::folder(table.name_space, table.name));
    const auto store = storage.store(folder);
    for (const BackupFile& file : table.files) {
      const std::string path = fmt::format("{}/{}", folder, file.path);
      if (const std::string problem = compare(*store, file); !problem.empty()) {
        report.problems.push_back(fmt::format("{} {}", path, problem));
      }
      ++report.files;
      report.bytes += file.bytes;
      known.insert(path);
    }
  }
  MARIGRAM_ASSIGN(const auto objects, storage.store("")->list("tables"));
  for (const io::ObjectInfo& object : objects) {
    if (!known.contains(object.key)) report.problems.push_back(fmt::format("{} is not of the snapshot", object.key));
  }
  return report;
}

}  // namespace marigram::db
