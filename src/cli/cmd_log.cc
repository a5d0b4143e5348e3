// marigram log: the commits that made a table what it is.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
};

std::string signed_count(char sign, std::uint64_t count) {
  return count == 0 ? "" : fmt::format("{}{}", sign, group_digits(count));
}

using Names = std::map<std::uint64_t, std::vector<std::string>>;  // of versions

Names names_of(const Table& table) {
  Names names;
  for (const auto& [name, version] : table.version_names()) names[version].push_back(name);
  return names;
}

std::string render(const std::vector<CommitInfo>& commits, Names names) {
  std::vector<TextTable::Column> columns = {
      {"version", Align::kRight}, {"time"}, {"operation"}, {"segments", Align::kRight}, {"removed", Align::kRight},
      {"rows", Align::kRight}};
  if (!names.empty()) columns.push_back({"name"});
  TextTable table(std::move(columns));
  for (const CommitInfo& commit : commits) {
    std::vector<std::string> cells = {fmt::format("{}", commit.version),
                                      format_rfc3339(commit.timestamp),
                                      commit.operation,
                                      signed_count('+', commit.added_segments),
                                      signed_count('-', commit.removed_segments),
                                      signed_count('+', commit.added_rows)};
    if (!names.empty()) cells.push_back(fmt::format("{}", fmt::join(names[commit.version], ", ")));
    table.add_row(std::move(cells));
  }
  return table.render(inspect_terminal(STDOUT_FILENO).color);
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table));
  MARIGRAM_ASSIGN(std::vector<CommitInfo> commits, table.log());
  if (commits.size() > options.limit) {
    commits.erase(commits.begin(), commits.end() - static_cast<std::ptrdiff_t>(options.limit));
  }
  if (!context.json) {
    MARIGRAM_TRY(context.out.write(render(commits, names_of(table))));
    return kExitOk;
  }
  Json list = Json::array();
  Names names = names_of(table);
  for (const CommitInfo& commit : commits) {
    Json told = to_json(commit);
    told["names"] = names[commit.version];
    list.push_back(std::move(told));
  }
  MARIGRAM_TRY(context.print({{"version", table.info().version}, {"commits", std::move(list)}}));
  return kExitOk;
}

}  // namespace

void add_log(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "log", "List the commits of a table, oldest first", "marigram log weather --limit 10");
  add_table(command, options->table);
  command.option("--limit", options->limit, "N", "Only the newest N commits").not_negative();
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
