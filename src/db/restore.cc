#include "db/restore.h"

#include "base/try.h"
#include "db/backup_manifest.h"
#include "db/catalogue.h"
#include "db/copy.h"
#include "db/copy_files.h"
#include "db/query.h"
#include "log/log.h"
#include "table/delete.h"
#include "table/engine.h"
#include "table/rewrite.h"
#include "table/vacuum.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::db {
namespace {

bool cuts(const RestoreOptions& options) {
  return options.from_ns != RestoreOptions{}.from_ns || options.to_ns != RestoreOptions{}.to_ns;
}

bool has_no_manifest(Storage& storage) {
  const auto manifest = read_manifest(storage);
  return !manifest && manifest.error().code == ErrorCode::kNotFound;
}

/// The snapshot's manifest with the tables that are asked for; unset: it has none, as it is of an older version.
Result<std::optional<BackupManifest>> choose(Storage& from, const RestoreOptions& options) {
  if (!options.table.empty() && options.name_space.empty()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot restore table {}: want its namespace too", options.table));
  }
  MARIGRAM_TRY(range_of(options.from_ns, options.to_ns));
  auto manifest = open_snapshot(from);
  if (!manifest && manifest.error().code == ErrorCode::kInvalidInput && has_no_manifest(from)) {
    MARIGRAM_TRY(check_description(from));
    if (options.name_space.empty() && !cuts(options)) return std::nullopt;
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot restore a part of {}: it has no {}, as an older version made it; restore all of it",
                            from.name(), kManifest));
  }
  if (!manifest) return std::unexpected(std::move(manifest).error());
  if (options.name_space.empty()) return std::move(*manifest);
  std::erase_if(manifest->tables, [&](const BackupTable& table) {
    return table.name_space != options.name_space || (!options.table.empty() && table.name != options.table);
  });
  if (!manifest->tables.empty()) return std::move(*manifest);
  if (options.table.empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no namespace {} in {}", options.name_space, from.name()));
  }
  return fail(ErrorCode::kNotFound,
              fmt::format("there is no table {}.{} in {}", options.name_space, options.table, from.name()));
}

/// One table on its way out of a snapshot.
class TableRestore {
 public:
  TableRestore(const BackupTable& table, Storage& from, const Surroundings& target, std::string folder)
      : table_(table),
        folder_(std::move(folder)),
        from_(from.store(folder_)),
        environment_{.store = target.storage->store(folder_), .clock = target.clock, .pool = target.pool} {}

  /// A table that has no times cannot be cut.
  Status check_times() const {
    MARIGRAM_ASSIGN(const log::TableState state, log::Log(from_, *environment_.clock).load());
    MARIGRAM_ASSIGN(const model::IndexSpec index, table::require_index(state));
    if (std::holds_alternative<model::TimestampIndex>(index.kind)) return {};
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot restore a range of time of {}: its index is of integers; restore it whole", table_.text()));
  }

  Status copy(RestoreReport& report) const {
    for (const BackupFile& wanted : table_.files) {
      const auto found = copy_file(*from_, *environment_.store, wanted.path);
      if (!found && found.error().code == ErrorCode::kNotFound) return damaged(wanted, "it is missing");
      if (!found) return std::unexpected(found.error());
      if (*found != wanted) return damaged(wanted, "it is not what was written");
      ++report.files;
      report.bytes += found->bytes;
    }
    MARIGRAM_ASSIGN(const log::TableState state, log::Log(environment_.store, *environment_.clock).load());
    if (state.version == table_.version && rows_of(state) == table_.rows) return {};
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot restore {}: got {} rows at version {}, want {} at version {}", table_.text(),
                            rows_of(state), state.version, table_.rows, table_.version));
  }

  /// Leaves the rows of the range, and gives up the others: their files go.
  Status cut(const RestoreOptions& options) const {
    MARIGRAM_ASSIGN(const TimeRange range, range_of(options.from_ns, options.to_ns));
    MARIGRAM_ASSIGN(const auto engine, table::Engine::open(environment_, {}));
    if (range.from) MARIGRAM_TRY(name_table(table::remove_rows(*engine, {.to = range.from})));
    if (range.to) MARIGRAM_TRY(name_table(table::remove_rows(*engine, {.from = range.to})));
    if (!engine->state()->tombstones.empty()) MARIGRAM_TRY(table::compact(*engine));
    MARIGRAM_TRY(table::vacuum(*engine, 0, false, {.versions = 1}));
    return {};
  }

  Result<std::uint64_t> rows() const {
    MARIGRAM_ASSIGN(const log::TableState state, log::Log(environment_.store, *environment_.clock).load());
    return rows_of(state);
  }

 private:
  Status damaged(const BackupFile& file, std::string_view what) const {
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot restore {}/{} from {}: {}", folder_, file.path, from_->name(), what));
  }
  Result<std::uint64_t> name_table(Result<std::uint64_t> removed) const {
    if (!removed) removed.error().message = fmt::format("{}: {}", table_.text(), removed.error().message);
    return removed;
  }

  const BackupTable& table_;
  const std::string folder_;
  const std::shared_ptr<io::ObjectStore> from_;
  const table::Environment environment_;
};

/// Every file as it is: nothing says what it was.
Result<RestoreReport> restore_without_manifest(Storage& from, const Surroundings& target) {
  const auto source = from.store("");
  const auto copy = target.storage->store("");
  RestoreReport report;
  std::set<std::string> folders;
  MARIGRAM_ASSIGN(const auto objects, source->list("tables"));
  for (const io::ObjectInfo& object : objects) {
    MARIGRAM_ASSIGN(const BackupFile file, copy_file(*source, *copy, object.key));
    ++report.files;
    report.bytes += file.bytes;
    if (const std::size_t log = object.key.find("/_timeseries_log/"); log != std::string::npos) {
      folders.insert(object.key.substr(0, log));
    }
  }
  for (const std::string& folder : folders) {
    const auto state = log::Log(target.storage->store(folder), *target.clock).load();
    if (!state) return std::unexpected(state.error());
    ++report.tables;
    report.rows += rows_of(*state);
  }
  return report;
}

}  // namespace

Result<RestoreReport> restore_snapshot(Storage& from, const Surroundings& target, const RestoreOptions& options) {
  MARIGRAM_ASSIGN(const std::optional<BackupManifest> manifest, choose(from, options));
  MARIGRAM_TRY(check_nothing_there(*target.storage));
  if (!manifest) {
    MARIGRAM_ASSIGN(const RestoreReport report, restore_without_manifest(from, target));
    MARIGRAM_TRY(describe(*target.storage));
    return report;
  }
  std::vector<TableRestore> tables;
  for (const BackupTable& table : manifest->tables) {
    MARIGRAM_ASSIGN(std::string folder, Catalogue::folder(table.name_space, table.name));
    tables.emplace_back(table, from, target, std::move(folder));
    if (cuts(options)) MARIGRAM_TRY(tables.back().check_times());
  }
  RestoreReport report{.tables = tables.size()};
  for (const TableRestore& table : tables) {
    MARIGRAM_TRY(table.copy(report));
    if (cuts(options)) MARIGRAM_TRY(table.cut(options));
    MARIGRAM_ASSIGN(const std::uint64_t rows, table.rows());
    report.rows += rows;
  }
  MARIGRAM_TRY(describe(*target.storage));
  return report;
}

Result<RestoreReport> preview_restore(Storage& from, const RestoreOptions& options) {
  MARIGRAM_ASSIGN(const std::optional<BackupManifest> manifest, choose(from, options));
  RestoreReport report;
  if (!manifest) {
    MARIGRAM_ASSIGN(const auto objects, from.store("")->list("tables"));
    report.files = objects.size();
    for (const io::ObjectInfo& object : objects) report.bytes += object.size;
    return report;
  }
  for (const BackupTable& table : manifest->tables) {
    ++report.tables;
    report.rows += table.rows;
    report.files += table.files.size();
    for (const BackupFile& file : table.files) report.bytes += file.bytes;
  }
  return report;
}

}  // namespace marigram::db
