// marigram db verify: read a whole database and compare, the write-ahead log included.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/text_table.h"
#include "db/core.h"
#include "db/verify.h"

#include <marigram/error.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  bool repair = false;
};

std::string lines(std::string_view what, const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += fmt::format("{}: {}\n", what, text);
  return out;
}

std::string render(const db::TableFindings& table) {
  const auto& [name_space, name, report] = table;
  std::string out = lines("repaired", report.repaired) + lines("problem", report.problems);
  const std::string verdict =
      report.problems.empty() ? "sound" : fmt::format("{} left", count_of(report.problems.size(), "problem"));
  return out + fmt::format("{}.{}: {}; checked {}, {}, {}\n", name_space, name, verdict,
                           count_of(report.commits, "commit"), count_of(report.segments, "segment"),
                           count_of(report.rows, "row"));
}

std::string render(const db::LogFindings& log) {
  std::string out = lines("lost", log.lost) + lines("repaired", log.repaired) + lines("problem", log.problems);
  if (log.torn_end) out += fmt::format("a crash left {}; opening the database cuts it\n", *log.torn_end);
  const std::string verdict =
      log.problems.empty() ? "sound"
                           : fmt::format("{}; --repair saves what is whole", count_of(log.problems.size(), "problem"));
  return out + fmt::format("write-ahead log: {}; checked {} in {}\n", verdict,
                           log.batches == 1 ? "1 batch" : group_digits(log.batches) + " batches",
                           count_of(log.files, "file"));
}

Json to_json(const db::DatabaseFindings& found) {
  Json tables = Json::array();
  for (const auto& [name_space, name, report] : found.tables) {
    tables.push_back({{"namespace", name_space},
                      {"table", name},
                      {"commits", report.commits},
                      {"segments", report.segments},
                      {"rows", report.rows},
                      {"problems", report.problems},
                      {"repaired", report.repaired}});
  }
  Json log = nullptr;
  if (found.log) {
    log = {{"files", found.log->files},
           {"batches", found.log->batches},
           {"problems", found.log->problems},
           {"lost", found.log->lost},
           {"repaired", found.log->repaired}};
    log["torn_end"] = found.log->torn_end ? Json(*found.log->torn_end) : Json(nullptr);
  }
  return {{"ok", found.is_sound()}, {"tables", std::move(tables)}, {"log", std::move(log)}};
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const db::Surroundings surroundings, db::surroundings_of(options.path));
  MARIGRAM_ASSIGN(const db::DatabaseFindings found, explain_opening(db::verify(surroundings, options.repair)));
  if (context.json) {
    MARIGRAM_TRY(context.print(to_json(found)));
    return found.is_sound() ? kExitOk : kExitFailure;
  }
  for (const db::TableFindings& table : found.tables) MARIGRAM_TRY(context.out.write(render(table)));
  MARIGRAM_TRY(context.out.write(found.log ? render(*found.log)
                                           : fmt::format("write-ahead log: not looked at: {}\n", found.owner)));
  return found.is_sound() ? kExitOk : kExitFailure;
}

}  // namespace

void add_db_verify(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "verify", "Read all tables and the write-ahead log, and compare",
                                      "marigram db verify metrics --repair");
  add_database(command, options->path);
  command.flag("--repair", options->repair,
               "Mend tables, and save every whole batch of a damaged log; its files are set aside, not deleted");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
