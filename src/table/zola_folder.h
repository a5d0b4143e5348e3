// A zola folder (docs/format/zola.md) as a table: what its days say, as a log would have it.
#pragma once

#include "coverage/coverage_map.h"
#include "io/object_store.h"
#include "log/table_state.h"
#include "table/environment.h"

#include <marigram/error.h>

#include <memory>

namespace marigram::table {

struct ZolaFolder {
  static constexpr const char* kCoverage = ".parted";  // of days: no file of its own

  log::TableState state = {};  // at version 0, which no table with a log has
  std::shared_ptr<const coverage::CoverageMap> coverage = {};
};

/// Whether the store, which has no log, is such a folder.
Result<bool> is_zola_folder(const io::ObjectStore& store);
/// kCorruption names the file. O(days × symbols).
Result<ZolaFolder> load_zola_folder(const Environment& environment);
/// What every write is told.
std::unexpected<Error> refuse_to_write_zola(const io::ObjectStore& store);

}  // namespace marigram::table
