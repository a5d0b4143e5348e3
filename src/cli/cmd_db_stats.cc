// marigram db stats: sizes of a database, and what opening it found.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/jobs.h>
#include <marigram/table.h>
#include <marigram/tags.h>

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct TableStats {
  std::string name_space;
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t series = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
};

Result<std::vector<TableStats>> measure(const Database& database) {
  std::vector<TableStats> all;
  MARIGRAM_ASSIGN(const auto name_spaces, database.list_namespaces());
  for (const std::string& name_space : name_spaces) {
    MARIGRAM_ASSIGN(const auto names, database.list_series(name_space));
    for (const std::string& name : names) {
      MARIGRAM_ASSIGN(const Table table, database.open_table(name_space, name));
      MARIGRAM_ASSIGN(const std::vector<Tags> series, database.list_tag_sets(name_space, name));
      TableStats stats{.name_space = name_space, .name = name, .series = series.size()};
      for (const SegmentInfo& segment : table.segments()) {
        stats.rows += segment.rows;
        stats.bytes += segment.bytes;
        ++stats.segments;
      }
      all.push_back(std::move(stats));
    }
  }
  return all;
}

std::string render(const std::vector<TableStats>& tables, const std::optional<RecoveryReport>& recovery) {
  TextTable table({{"namespace"},
                   {"table"},
                   {"rows", Align::kRight},
                   {"series", Align::kRight},
                   {"segments", Align::kRight},
                   {"size", Align::kRight}});
  for (const TableStats& stats : tables) {
    table.add_row({stats.name_space, stats.name, group_digits(stats.rows), group_digits(stats.series),
                   group_digits(stats.segments), format_bytes(stats.bytes)});
  }
  std::string out = table.render(inspect_terminal(STDOUT_FILENO).color);
  if (!recovery) return out + "write-ahead log: not looked at, another process owns the database\n";
  return out + fmt::format("write-ahead log: {} were not in segments yet; a torn end of {} was cut; {:.3f} s\n",
                           count_of(recovery->points, "row"), format_bytes(recovery->cut_bytes), recovery->seconds);
}

/// One line if any fails.
std::string render_failing(const std::vector<JobInfo>& jobs) {
  const auto failing = std::ranges::count_if(jobs, [](const JobInfo& job) { return job.failures > 0; });
  if (failing == 0) return "";
  return fmt::format("background jobs: {} failed the last time; `marigram db jobs` tells why\n", failing);
}

Json to_json(const std::optional<RecoveryReport>& recovery) {
  if (!recovery) return nullptr;
  return {{"batches", recovery->batches},
          {"rows", recovery->points},
          {"cut_bytes", recovery->cut_bytes},
          {"orphans", recovery->orphans},
          {"seconds", recovery->seconds}};
}

Result<int> run(Context& context, const std::string& path) {
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, path));
  MARIGRAM_ASSIGN(const std::vector<TableStats> tables, measure(opened.database));
  if (!context.json) {
    MARIGRAM_ASSIGN(const std::vector<JobInfo> jobs, opened.database.jobs());
    MARIGRAM_TRY(context.out.write(render(tables, opened.recovery) + render_failing(jobs)));
    return kExitOk;
  }
  Json list = Json::array();
  for (const TableStats& stats : tables) {
    list.push_back({{"namespace", stats.name_space},
                    {"table", stats.name},
                    {"rows", stats.rows},
                    {"series", stats.series},
                    {"segments", stats.segments},
                    {"bytes", stats.bytes}});
  }
  MARIGRAM_TRY(context.print({{"tables", std::move(list)}, {"recovery", to_json(opened.recovery)}}));
  return kExitOk;
}

}  // namespace

void add_db_stats(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  const Command command =
      add_command(app, context, "stats", "Print sizes of the tables, and what was left in the write-ahead log",
                  "marigram db stats metrics");
  add_database(command, *path);
  command.runs([&context, path] { return run(context, *path); });
}

}  // namespace marigram::cli
