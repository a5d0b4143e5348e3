// marigram append: Parquet files, one commit each.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::vector<std::string> files;
};

// Names what went in before the failure, since it stays.
Error with_progress(Error error, std::size_t done, std::size_t total) {
  if (done > 0) error.message += fmt::format("; the first {} of {} files are in the table", done, total);
  return error;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  Json files = Json::array();
  std::uint64_t rows = 0;
  std::uint64_t segments = 0;
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    const auto appended = table.append_parquet(options.files[i]);
    if (!appended) return std::unexpected(with_progress(appended.error(), i, options.files.size()));
    rows += appended->rows;
    segments += appended->segments;
    files.push_back({{"file", options.files[i]},
                     {"rows", appended->rows},
                     {"segments", appended->segments},
                     {"version", appended->version}});
  }
  const std::uint64_t version = table.info().version;
  if (context.json) {
    MARIGRAM_TRY(context.print({{"table", options.table},
                                {"rows", rows},
                                {"segments", segments},
                                {"version", version},
                                {"files", std::move(files)}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("appended {} from {} to {}: {}, version {}\n", count_of(rows, "row"),
                                               count_of(options.files.size(), "file"), options.table,
                                               count_of(segments, "segment"), version)));
  }
  return kExitOk;
}

}  // namespace

void add_append(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "append", "Append Parquet files, each as one commit",
                                      "marigram append weather 2014-01.parquet 2014-02.parquet");
  add_table(command, options->table);
  command.option("PARQUET", options->files, "FILE", "Parquet files").required();
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
