// marigram window: the latest stretch without a gap.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/text_table.h"

#include <marigram/coverage.h>
#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::uint64_t length = 0;
  std::string before;
  std::vector<std::string> where;
};

Status print(Context& context, const Options& options, const std::optional<BucketRange>& window) {
  if (context.json) return context.print(window ? to_json(*window) : Json(nullptr));
  if (!window) {
    note(fmt::format("no window of {} is fully covered", count_of(options.length, "bucket")));
    return {};
  }
  return context.out.write(fmt::format("{} to {}, {}\n", format_index_value(window->from),
                                       format_index_value(window->to), count_of(window->buckets, "bucket")));
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table));
  std::optional<IndexValue> before;
  if (!options.before.empty()) {
    MARIGRAM_ASSIGN(before, parse_index_value(context, "--before", options.before, table.info()));
  }
  MARIGRAM_ASSIGN(const auto where, parse_where(context, options.where));
  MARIGRAM_ASSIGN(const auto window, table.last_covered_window(options.length, before, where));
  MARIGRAM_TRY(print(context, options, window));
  return kExitOk;
}

}  // namespace

void add_window(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "window", "Find the last fully covered window of a length",
                                      "marigram window weather --length 168 --where origin=JFK");
  add_table(command, options->table);
  command.option("--length", options->length, "BUCKETS", "Length of the window in buckets").required().positive();
  command.option("--before", options->before, "TIME",
                 "The window ends at or before this (default: the end of the coverage)");
  add_where(command, options->where);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
