// marigram db compact: fewer and larger segments.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/text_table.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

Result<std::uint64_t> count_segments(const Database& database) {
  std::uint64_t segments = 0;
  MARIGRAM_ASSIGN(const auto name_spaces, database.list_namespaces());
  for (const std::string& name_space : name_spaces) {
    MARIGRAM_ASSIGN(const auto names, database.list_series(name_space));
    for (const std::string& name : names) {
      MARIGRAM_ASSIGN(const Table table, database.open_table(name_space, name));
      segments += table.info().segments;
    }
  }
  return segments;
}

Result<int> run(Context& context, const std::string& path) {
  MARIGRAM_ASSIGN(Database database, open_to_write(path));
  MARIGRAM_TRY(database.flush());
  MARIGRAM_ASSIGN(const std::uint64_t before, count_segments(database));
  MARIGRAM_TRY(database.compact());
  MARIGRAM_ASSIGN(const std::uint64_t after, count_segments(database));
  MARIGRAM_TRY(database.close());
  if (context.json) {
    MARIGRAM_TRY(context.print({{"segments_before", before}, {"segments_after", after}}));
  } else {
    MARIGRAM_TRY(context.out.write(
        fmt::format("compacted {}: {} became {}\n", path, count_of(before, "segment"), group_digits(after))));
  }
  return kExitOk;
}

}  // namespace

void add_db_compact(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  CLI::App& command = add_command(app, context, "compact", "Merge small and overlapping segments of all tables",
                                  "marigram db compact metrics");
  add_database(command, *path);
  command.callback([&context, path] { context.chosen = [&context, path] { return run(context, *path); }; });
}

}  // namespace marigram::cli
