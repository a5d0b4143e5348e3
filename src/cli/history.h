// Versions of a table as commands compare, name and restore them; of a table alone, and of one in a database.
#pragma once

#include "cli/row_output.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace marigram::cli {

class Command;
struct Context;

/// Opens the table that a command is about.
using OpenTable = std::function<Result<Table>(const OpenOptions&)>;

/// --at, as parse_at reads it.
void add_at(const Command& command, std::string& at);

struct DiffTexts {
  std::string from_version;
  std::string to_version;
  std::string from;
  std::string to;
  std::vector<std::string> where;
  bool count = false;
  RowOutputOptions output;
};
/// Declares FROM, TO, --from, --to, --where, --count and those of rows.
void add_diff_options(const Command& command, DiffTexts& texts);
Result<int> run_diff(Context& context, const DiffTexts& texts, const OpenTable& open);

struct TagTexts {
  std::string name;
  std::string version;
  std::string forgotten;
};
/// Declares NAME, VERSION and --delete.
void add_tag_options(const Command& command, TagTexts& texts);
Result<int> run_tag(Context& context, const TagTexts& texts, const OpenTable& open);

struct RevertTexts {
  std::string version;
  bool dry_run = false;
};
/// Declares VERSION and --dry-run.
void add_revert_options(const Command& command, RevertTexts& texts);
/// `table`: as messages name it. `restore` makes the table what it was at a version, and returns the one it has then.
Result<int> run_revert(Context& context, const RevertTexts& texts, const std::string& table, const OpenTable& open,
                       const std::function<Result<std::uint64_t>(std::uint64_t)>& restore);

/// `rows` are gone, or would be.
Status print_truncated(Context& context, const std::string& table, std::uint64_t rows, bool dry_run);

}  // namespace marigram::cli
