// Coverage sidecars and snapshots in the table's folder: load with recovery, write content-addressed.
#pragma once

#include "coverage/coverage_map.h"
#include "io/object_store.h"
#include "log/table_state.h"
#include "model/table_meta.h"

#include <marigram/error.h>

#include <cstdint>
#include <optional>
#include <string>

namespace marigram::table {

/// Bytes of one coverage file, decoded and checked against the hash in its name. Tags that the table got since are
/// absent. kCorruption names the file.
Result<coverage::CoverageMap> read_coverage_file(const io::ObjectStore& store, const log::TableState& state,
                                                 coverage::FileRole role, const std::string& path);

/// The bytes of the coverage file of that name, if `map` is what it said; unset if it said something else.
std::optional<std::string> bytes_of_coverage_file(const log::TableState& state, coverage::FileRole role,
                                                  const std::string& path, const coverage::CoverageMap& map);

/// The table's coverage: its snapshot, else the union of its segments' sidecars. kCorruption names the first segment
/// whose sidecar is missing or damaged too, and `verify --repair`.
Result<coverage::CoverageMap> load_table_coverage(const io::ObjectStore& store, const log::TableState& state);

/// The union of all segments' sidecars, without what tombstones emptied.
Result<coverage::CoverageMap> union_of_sidecars(const io::ObjectStore& store, const log::TableState& state);

/// A coverage file to be written: content-addressed, so its path follows from its bytes.
struct CoverageFile {
  std::string path;
  std::string bytes;
};

/// A segment's sidecar. `attempt` is the UUID of the append (v7 puts it into the name). The state must have an index.
CoverageFile make_segment_coverage(const log::TableState& state, const coverage::CoverageMap& map,
                                   const std::string& attempt);
/// The table's snapshot for version `version`.
CoverageFile make_table_coverage(const log::TableState& state, const coverage::CoverageMap& map, std::uint64_t version,
                                 const std::string& attempt);
/// A file of that name that is there already says the same, and is left.
Status put_coverage_file(io::ObjectStore& store, const CoverageFile& file);

}  // namespace marigram::table
