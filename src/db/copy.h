// Backups of databases: snapshots, and what can be told of them.
#pragma once

#include "db/backup_manifest.h"
#include "db/storage.h"

#include <marigram/backup.h>
#include <marigram/error.h>

#include <string>

namespace marigram::db {

class Core;

/// Says that a folder is a database, which is the last thing that a copy gets. kAlreadyExists.
Status describe(Storage& storage);
/// The same of a snapshot with a manifest of that id.
Status describe_snapshot(Storage& storage, const std::string& id);
/// kNotFound: there is no database; kInvalidInput: of a format that is not known.
Status check_description(Storage& storage);
/// kAlreadyExists if there is anything.
Status check_nothing_there(Storage& storage);

/// See Database::snapshot. `base`: null if there is none.
Result<SnapshotReport> make_snapshot(Core& core, Storage& target, Storage* base = nullptr);

/// The manifest of a snapshot that is there whole. kNotFound: there is no database; kInvalidInput: it is one, but never
/// had a manifest, as snapshots of older versions; kCorruption: the manifest or the description is not what it was.
Result<BackupManifest> open_snapshot(Storage& storage);
/// See Database::verify_snapshot.
Result<SnapshotVerifyReport> verify_snapshot(Storage& storage);

}  // namespace marigram::db
