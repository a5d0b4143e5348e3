// The options that say what a new table is: those of `create`, which `import --create` takes too.
#pragma once

#include "cli/rollups.h"
#include "cli/tiers.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <string>
#include <vector>

namespace marigram::cli {

class Command;
struct Context;

struct CreateOptions {
  std::string time_column;
  std::string unit;
  std::vector<std::string> tags;
  std::vector<std::string> fields;
  std::string bucket = "1h";
  std::string dialect = "v7";
  std::string calendar_file;
  std::string index_type = "timestamp";
  std::uint64_t index_step = 0;
  std::string timezone;
  std::string partition = "1d";
  std::string duplicates = "reject";
  std::string segments = "parquet";
  std::string compression = "auto";
  RollupTexts rollups;
  std::vector<std::string> keep;
  TierTexts tiers;
};

/// Declares --time, --unit, --tag, --field, --bucket, --dialect, --calendar, --index-type, --index-step, --timezone,
/// --partition, --duplicates, --segments, --compression, --rollups and
/// what belongs to it, --keep, --cold-after and what belongs to it.
void add_create_options(const Command& command, CreateOptions& options);

/// What the library takes; reads the calendar's file.
Result<TableOptions> table_options(Context& context, const CreateOptions& options);

}  // namespace marigram::cli
