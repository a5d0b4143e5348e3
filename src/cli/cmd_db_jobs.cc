// marigram db jobs: what is done to the tables of a database in the background.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json_view.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/jobs.h>
#include <marigram/time.h>

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string run;  // of all these: a kind, or kAll; empty: not asked for
  std::string pause;
  std::string resume;
};

constexpr std::string_view kAll = "all";

/// Unset: all.
std::optional<JobKind> kind_named(std::string_view name) {
  const auto* const found = std::ranges::find(kJobNames, name);
  if (found == kJobNames.end()) return std::nullopt;
  return static_cast<JobKind>(found - kJobNames.begin());
}

std::string_view name_of(JobState state) {
  constexpr std::array<std::string_view, 3> kNames = {"waiting", "running", "paused"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::string_view name_of(JobKind kind) {
  return kJobNames.at(static_cast<std::size_t>(kind));
}

std::string table_of(const JobInfo& job) {
  return job.table.empty() ? "(dropped tables)" : fmt::format("{}.{}", job.name_space, job.table);
}

/// To the second.
std::string text_of(const std::optional<Instant>& time) {
  return time ? format_rfc3339({.seconds = time->seconds}) : "";
}

std::string state_of(const JobInfo& job) {
  if (job.state != JobState::kRunning || job.progress == 0) return std::string(name_of(job.state));
  return fmt::format("running {:.0f} %", job.progress * 100);
}

std::string render(const std::vector<JobInfo>& jobs) {
  TextTable table({{"kind"},
                   {"table"},
                   {"state"},
                   {"last run"},
                   {"result"},
                   {"failures", Align::kRight},
                   {"last error"},
                   {"next"}});
  for (const JobInfo& job : jobs) {
    table.add_row({std::string(name_of(job.kind)), table_of(job), state_of(job), text_of(job.ended), job.result,
                   group_digits(job.failures), job.last_error, text_of(job.next)});
  }
  return table.render(inspect_terminal(STDOUT_FILENO).color);
}

Json to_json(const std::optional<Instant>& time) {
  return time ? Json(format_rfc3339(*time)) : Json(nullptr);
}

Json to_json(const JobInfo& job) {
  return {{"kind", name_of(job.kind)},    {"namespace", job.name_space},
          {"table", job.table},           {"state", name_of(job.state)},
          {"next", to_json(job.next)},    {"started", to_json(job.started)},
          {"ended", to_json(job.ended)},  {"progress", job.progress},
          {"result", job.result},         {"runs", job.runs},
          {"failures", job.failures},     {"last_error", job.last_error},
          {"failed", to_json(job.failed)}};
}

Status print(Context& context, const std::vector<JobInfo>& jobs) {
  if (!context.json) return context.out.write(render(jobs));
  Json list = Json::array();
  for (const JobInfo& job : jobs) list.push_back(to_json(job));
  return context.print({{"jobs", std::move(list)}});
}

/// What was done; a job that failed is a failure of the command.
Result<int> run_now(Context& context, Database& database, const Options& options) {
  const InterruptGuard guard(context.cancel);
  MARIGRAM_TRY(database.flush());  // of what a crash left in the write-ahead log
  MARIGRAM_ASSIGN(const auto done, database.run_jobs(kind_named(options.run), context.cancel));
  MARIGRAM_TRY(database.close());
  if (done.empty() && !context.json) {
    MARIGRAM_TRY(context.out.write("nothing to do\n"));
    return kExitOk;
  }
  MARIGRAM_TRY(print(context, done));
  const bool failed = std::ranges::any_of(done, [](const JobInfo& job) { return job.failures > 0; });
  return failed ? kExitFailure : kExitOk;
}

Result<int> run(Context& context, const Options& options) {
  const bool writes = !options.pause.empty() || !options.resume.empty() || !options.run.empty();
  if (!writes) {  // beside who owns it
    MARIGRAM_ASSIGN(const Database database,
                    explain_opening(Database::open(options.path, {.create = false, .read_only = true})));
    MARIGRAM_ASSIGN(const auto jobs, database.jobs());
    MARIGRAM_TRY(print(context, jobs));
    return kExitOk;
  }
  MARIGRAM_ASSIGN(Database database,
                  explain_opening(Database::open(options.path, {.create = false, .jobs = {.automatic = false}})));
  if (!options.pause.empty()) MARIGRAM_TRY(database.pause_jobs(kind_named(options.pause)));
  if (!options.resume.empty()) MARIGRAM_TRY(database.resume_jobs(kind_named(options.resume)));
  if (!options.run.empty()) return run_now(context, database, options);
  MARIGRAM_ASSIGN(const auto jobs, database.jobs());
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(print(context, jobs));
  return kExitOk;
}

}  // namespace

void add_db_jobs(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "jobs", "List background jobs of a database, run or pause them",
                                      "marigram db jobs metrics --run");
  add_database(command, options->path);
  const auto add = [&](const std::string& name, std::string& kind, const std::string& description) {
    return command.choice(name, kind, {"refresh", "expire", "tier", "compact", "vacuum", "all"}, description);
  };
  add("--run", options->run, "Do at once what is due, of one kind or of all, and print what was done")
      .alone_is(std::string(kAll));
  add("--pause", options->pause, "Jobs of that kind do not begin by themselves any more, until resumed");
  add("--resume", options->resume, "They do again");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
