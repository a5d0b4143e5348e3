// Copies of databases: snapshots and what is restored from them.
#pragma once

#include "db/catalogue.h"
#include "db/storage.h"
#include "io/object_store.h"
#include "log/table_state.h"

#include <marigram/error.h>

#include <string>

namespace marigram::db {

/// Says that a folder is a database, which is the last thing that a copy gets. kAlreadyExists.
Status describe(Storage& storage);
/// kNotFound: there is no database; kInvalidInput: of a format that is not known.
Status check_description(Storage& storage);

/// kAlreadyExists if there is anything.
Status check_nothing_there(Storage& storage);

/// The objects that make up a version of a table: its commits, and the files that it refers to. The history before it
/// is there, but not the files of segments that were taken out.
Status copy_table(const log::TableState& state, const io::ObjectStore& from, io::ObjectStore& to);
/// All objects below a folder, that of the description last.
Status copy_all(Storage& from, Storage& to);

}  // namespace marigram::db
