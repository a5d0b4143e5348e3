// marigram remove: take segments out of a table.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::vector<std::string> segments;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  MARIGRAM_ASSIGN(const std::uint64_t version, table.remove_segments(options.segments));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"version", version}, {"removed", options.segments}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("removed {} from {}: version {}; vacuum deletes the files\n",
                                               count_of(options.segments.size(), "segment"), options.table, version)));
  }
  return kExitOk;
}

}  // namespace

void add_remove(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "remove", "Take segments out of a table; their files stay until vacuum",
                  "marigram remove weather data/2013-01-01.parquet");
  add_table(command, options->table);
  command.option("SEGMENT", options->segments, "ID", "Ids or paths, as `marigram segments` lists them").required();
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
