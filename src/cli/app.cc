#include "cli/app.h"

#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/help_format.h"
#include "cli/interrupt.h"

#include <marigram/error.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

// The arguments could not be parsed, so --json is looked for by hand.
bool wants_json(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](const char* argument) { return std::string_view(argument) == "--json"; });
}

void report(const Context& context, const Error& error, std::string_view code) {
  if (context.json) {
    fmt::print(stderr, "{}\n", error_json(error, code).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print(stderr, "marigram: {}\n", error.message);
  }
}

int report_usage(Context& context, const CLI::App& app, const std::string& message) {
  report(context, {.code = ErrorCode::kInvalidInput, .message = message}, "usage");
  if (!context.json) {
    std::string name;
    for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = chosen.back()->get_subcommands()) {
      name += " " + chosen.back()->get_name();
    }
    fmt::print(stderr, "Run `marigram{} --help` to see what it takes.\n", name);
  }
  return kExitUsage;
}

// The exit status of a command that failed.
int report_failure(Context& context, const CLI::App& app, const Error& error) {
  if (context.out.reader_gone()) return kExitOk;
  if (context.usage_error) return report_usage(context, app, error.message);
  if (context.cancel.cancelled()) {
    report(context, {.code = ErrorCode::kCancelled, .message = "interrupted"}, {});
    return std::max(interrupted_exit_code(), kExitInterrupted);
  }
  report(context, error, {});
  return exit_code(error.code);
}

Result<int> run_chosen(Context& context) {
  try {
    MARIGRAM_ASSIGN(const int code, context.chosen());
    MARIGRAM_TRY(context.out.finish());
    return code;
  } catch (const std::exception& exception) {
    return fail(ErrorCode::kInternal,
                fmt::format("cannot finish: {}; this is a defect, please report it", exception.what()));
  }
}

// Help and version: text that was asked for, so it goes to standard output.
int print_text(Context& context, const std::string& text) {
  const Status written = context.out.write(text);
  const Status finished = written ? context.out.finish() : written;
  return finished || context.out.reader_gone() ? kExitOk : kExitFailure;
}

}  // namespace

void build_app(CLI::App& app, Context& context) {
  app.name("marigram");
  app.description("Time-series tables: open, versioned, and aware of what they cover.");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", std::string("marigram ") + MARIGRAM_VERSION)
      ->description("Print the version and exit");
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(1);
  app.footer(
      "Example:\n  marigram import weather weather.csv --create --time time_hour --tag origin --bucket 1h\n"
      "\nExit status: 0 ok, 1 failure, 2 usage, 3 not found, 4 conflict or overlap, 5 not allowed, 130 interrupted.");
  add_create(app, context);
  add_import(app, context);
  add_append(app, context);
  add_scan(app, context);
  add_asof(app, context);
  add_window_join(app, context);
  add_latest(app, context);
  add_aggregate(app, context);
  add_export(app, context);
  add_coverage(app, context);
  add_gaps(app, context);
  add_window(app, context);
  add_show(app, context);
  add_log(app, context);
  add_diff(app, context);
  add_tag(app, context);
  add_revert(app, context);
  add_segments(app, context);
  add_delete(app, context);
  add_truncate(app, context);
  add_remove(app, context);
  add_add_column(app, context);
  add_verify(app, context);
  add_checkpoint(app, context);
  add_compact(app, context);
  add_rollup(app, context);
  add_retention(app, context);
  add_tier(app, context);
  add_vacuum(app, context);
  add_clone(app, context);
  add_db(app, context);
  add_completion(app, context);
}

int run(int argc, char** argv) {
  install_signal_handlers();
  Context context;
  CLI::App app;
  build_app(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return print_text(context, app.help());
  } catch (const CLI::CallForVersion& version) {
    return print_text(context, std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    context.json = wants_json(argc, argv);
    return report_usage(context, app, error.what());
  }
  const Result<int> code = run_chosen(context);
  return code ? *code : report_failure(context, app, code.error());
}

}  // namespace marigram::cli
