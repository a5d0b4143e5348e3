#include "db/copy.h"

#include "base/hash.h"
#include "base/try.h"
#include "db/copy_files.h"
#include "db/core.h"
#include "io/link_object.h"
#include "io/object_store.h"
#include "log/commit_files.h"
#include "log/table_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

constexpr const char* kDescription = "marigram.json";
constexpr std::uint64_t kFormat = 1;
constexpr std::string_view kHasManifest = ",\"manifest\":true";

std::string description(std::string_view id, bool has_manifest) {
  return fmt::format("{{\"marigram\":\"database\",\"format\":{},\"id\":\"{}\"{}}}\n", kFormat, id,
                     has_manifest ? kHasManifest : "");
}

Error no_database(const Storage& storage) {
  return {ErrorCode::kNotFound, fmt::format("there is no database at {}", storage.name())};
}

/// An earlier snapshot, with which files are shared.
struct Base {
  Storage& storage;
  BackupManifest manifest;
};

/// One table on its way into a snapshot.
class TableBackup {
 public:
  TableBackup(const table::Engine& engine, Storage& target, const std::string& folder, const Base* base,
              const BackupTable* in_base)
      : engine_(engine), target_(target.store(folder)), in_base_(in_base) {
    if (in_base_ != nullptr) base_ = base->storage.store(folder);
  }

  /// The table at its newest version. A file that has gone meanwhile is of one that is not the newest any more: then
  /// that is taken, to which `refresh` moves.
  Result<BackupTable> run(const std::function<Status()>& refresh, const Clock& clock, SnapshotReport& report) {
    while (true) {
      log::TableState state = *engine_.state();
      Keys keys;
      const Status taken = take(state, keys);
      if (taken) return finish(std::move(state), std::move(keys), clock, report);
      if (taken.error().code != ErrorCode::kNotFound) return std::unexpected(taken.error());
      MARIGRAM_TRY(refresh());
      if (engine_.state()->version == state.version) return std::unexpected(taken.error());
    }
  }

 private:
  struct Taken {
    BackupFile file;
    bool shared = false;
  };

  Status take(const log::TableState& state, Keys& keys) {
    MARIGRAM_ASSIGN(keys, keys_of(state, engine_.store()));
    for (auto key = keys.begin(); key != keys.end();) {
      const Status taken = take(*key);
      const bool gone = !taken && may_be_gone(*key, taken.error());
      if (!taken && !gone) return taken;
      key = gone ? keys.erase(key) : std::next(key);
    }
    return {};
  }

  Status take(const std::string& key) {
    if (taken_.contains(key)) return {};
    MARIGRAM_ASSIGN(const BackupFile* const shared, share(key));
    if (shared != nullptr) {
      taken_[key] = {*shared, true};
      return {};
    }
    MARIGRAM_ASSIGN(taken_[key].file, copy_file(engine_.store(), *target_, key));
    return {};
  }

  /// What the base says of the file, if it has it and the file system can share it; else null.
  Result<const BackupFile*> share(const std::string& key) const {
    const BackupFile* const known = in_base_ == nullptr ? nullptr : in_base_->find(key);
    if (known == nullptr) return nullptr;
    MARIGRAM_ASSIGN(const auto source, engine_.store().open(key));
    if (source->size() != known->bytes) return nullptr;
    if (!is_named_for_good(key)) {
      MARIGRAM_ASSIGN(const BackupFile now, read_file(engine_.store(), key));
      if (now != *known) return nullptr;
    }
    const auto object = base_->open(key);
    if (!object || (*object)->size() != known->bytes) return nullptr;  // it is damaged, so it is copied
    MARIGRAM_ASSIGN(const bool linked, io::link_object(*target_, key, **object));
    return linked ? known : nullptr;
  }

  Result<BackupTable> finish(log::TableState state, Keys keys, const Clock& clock, SnapshotReport& report) {
    for (const auto& [key, taken] : taken_) {
      if (!keys.contains(key)) MARIGRAM_TRY(target_->remove(key));  // of a version before
    }
    KeptHistory kept{.oldest = state.version, .names = state.version_names};
    std::erase_if(kept.names, [&](const auto& name) { return name.second < kept.oldest; });
    MARIGRAM_ASSIGN(const Keys added, finish_copy(state, kept, target_, clock));
    for (const std::string& key : added) {
      MARIGRAM_ASSIGN(taken_[key].file, read_file(*target_, key));
    }
    keys.insert(added.begin(), added.end());
    BackupTable table{.version = state.version, .rows = rows_of(state)};
    for (const std::string& key : keys) {
      const Taken& taken = taken_[key];
      MARIGRAM_TRY(read_back(taken));
      report.shared_files += taken.shared ? 1 : 0;
      report.shared_bytes += taken.shared ? taken.file.bytes : 0;
      report.bytes += taken.file.bytes;
      table.files.push_back(taken.file);
    }
    ++report.tables;
    report.rows += table.rows;
    report.files += table.files.size();
    return table;
  }

  Status read_back(const Taken& taken) const {
    if (taken.shared) return {};
    MARIGRAM_ASSIGN(const BackupFile written, read_file(*target_, taken.file.path));
    if (written == taken.file) return {};
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot back up {} to {}: what was written is not what is read; check the disk",
                            taken.file.path, target_->name()));
  }

  const table::Engine& engine_;
  const std::shared_ptr<io::ObjectStore> target_;
  const BackupTable* const in_base_;
  std::shared_ptr<io::ObjectStore> base_;  // unless in_base_ is null
  std::map<std::string, Taken> taken_;     // by key
};

Result<BackupManifest> open_base(Storage& base) {
  auto manifest = open_snapshot(base);
  if (!manifest) manifest.error().message = fmt::format("cannot back up on a base: {}", manifest.error().message);
  return manifest;
}

Status put_manifest(Storage& target, const BackupManifest& manifest) {
  MARIGRAM_ASSIGN(const std::string text, encode_manifest(manifest));
  MARIGRAM_TRY(target.store("")->put(kManifest, text, io::PutCondition::if_absent()));
  MARIGRAM_ASSIGN(const BackupManifest written, read_manifest(target));
  if (written == manifest) return {};
  return fail(ErrorCode::kInternal,
              fmt::format("cannot back up to {}: its manifest does not say what it should", target.name()));
}

}  // namespace

Status describe(Storage& storage) {
  MARIGRAM_TRY(storage.store("")->put(kDescription, description(random_uuid(), false), io::PutCondition::if_absent()));
  return {};
}

Status describe_snapshot(Storage& storage, const std::string& id) {
  MARIGRAM_TRY(storage.store("")->put(kDescription, description(id, true), io::PutCondition::if_absent()));
  return {};
}

Status check_description(Storage& storage) {
  const auto found = storage.store("")->read(kDescription);
  if (!found && found.error().code == ErrorCode::kNotFound) return std::unexpected(no_database(storage));
  if (!found) return std::unexpected(found.error());
  if (found->bytes.contains(fmt::format("\"format\":{},", kFormat))) return {};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot open {}: its {} says \"{}\", want format {}; a newer Marigram may have made it",
                          storage.name(), kDescription, found->bytes.substr(0, 100), kFormat));
}

Status check_nothing_there(Storage& storage) {
  MARIGRAM_ASSIGN(const auto objects, storage.store("")->list(""));
  if (objects.empty()) return {};
  return fail(ErrorCode::kAlreadyExists,
              fmt::format("cannot copy to {}: it is not empty; want a folder that does not exist", storage.name()));
}

Result<SnapshotReport> make_snapshot(Core& core, Storage& target, Storage* base) {
  MARIGRAM_TRY(check_nothing_there(target));
  std::optional<Base> shared;
  if (base != nullptr) {
    MARIGRAM_ASSIGN(BackupManifest manifest, open_base(*base));
    shared.emplace(*base, std::move(manifest));
  }
  if (!core.options().read_only) MARIGRAM_TRY(core.flush());
  const Clock& clock = *core.surroundings().clock;
  BackupManifest manifest{.id = random_uuid(), .base = shared ? shared->manifest.id : "", .time = clock.now()};
  SnapshotReport report;
  MARIGRAM_ASSIGN(const auto name_spaces, core.catalogue().name_spaces());
  for (const std::string& name_space : name_spaces) {
    MARIGRAM_ASSIGN(const auto names, core.catalogue().tables(name_space));
    for (const std::string& name : names) {
      const auto live = core.table_to_read(name_space, name);
      if (!live && live.error().code == ErrorCode::kNotFound) continue;  // dropped meanwhile
      if (!live) return std::unexpected(live.error());
      MARIGRAM_ASSIGN(const std::string folder, Catalogue::folder(name_space, name));
      TableBackup backup((*live)->engine(), target, folder, shared ? &*shared : nullptr,
                         shared ? shared->manifest.find(name_space, name) : nullptr);
      const auto refresh = [&] { return core.options().read_only ? (*live)->refresh() : Status(); };
      MARIGRAM_ASSIGN(BackupTable table, backup.run(refresh, clock, report));
      table.name_space = name_space;
      table.name = name;
      manifest.tables.push_back(std::move(table));
    }
  }
  MARIGRAM_TRY(put_manifest(target, manifest));
  MARIGRAM_TRY(describe_snapshot(target, manifest.id));
  return report;
}

Result<BackupManifest> open_snapshot(Storage& storage) {
  const auto described = storage.store("")->read(kDescription);
  if (!described && described.error().code == ErrorCode::kNotFound) return std::unexpected(no_database(storage));
  if (!described) return std::unexpected(described.error());
  auto manifest = read_manifest(storage);
  if (manifest && described->bytes != description(manifest->id, true)) {
    return fail(ErrorCode::kCorruption,
                fmt::format("cannot use {}: its {} is not what {} says", storage.name(), kDescription, kManifest));
  }
  if (manifest || manifest.error().code != ErrorCode::kNotFound) return manifest;
  MARIGRAM_TRY(check_description(storage));
  if (described->bytes.contains(kHasManifest)) {
    return fail(ErrorCode::kCorruption, fmt::format("cannot use {}: its {} is missing", storage.name(), kManifest));
  }
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot use {}: it has no {}, which snapshots have since they can be verified; back up anew",
                          storage.name(), kManifest));
}

}  // namespace marigram::db
