#include "cli/command.h"

#include "cli/context.h"

#include <marigram/scan.h>

#include <initializer_list>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace marigram::cli {

CLI::App& add_command(CLI::App& app, Context& context, const std::string& name, const std::string& description,
                      const std::string& example) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.set_help_flag("-h,--help", "Print this help and exit");
  command.add_flag("--json", context.json, "Print JSON, errors included");
  command.footer("Example:\n  " + example);
  return command;
}

CLI::Option* add_table(CLI::App& command, std::string& table) {
  return command.add_option("TABLE", table, "Folder of the table")->required()->type_name("FOLDER");
}

CLI::Option* add_repeated(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                          const std::string& metavariable, const std::string& description) {
  return command.add_option(name, values, description + " (repeatable)")
      ->type_name(metavariable)
      ->allow_extra_args(false)
      ->take_all();
}

CLI::Option* add_names(CLI::App& command, const std::string& name, std::vector<std::string>& names,
                       const std::string& metavariable, const std::string& description) {
  return command.add_option(name, names, description)
      ->type_name(metavariable)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->take_all();
}

CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& value,
                        std::initializer_list<const char*> choices, const std::string& description) {
  std::string metavariable;
  for (const char* choice : choices) {
    if (!metavariable.empty()) metavariable += '|';
    metavariable += choice;
  }
  const std::vector<std::string> allowed(choices.begin(), choices.end());
  return command.add_option(name, value, description)
      ->type_name(metavariable)
      ->check(CLI::IsMember(allowed).description(""));
}

CLI::Option* add_where(CLI::App& command, std::vector<std::string>& where) {
  return add_repeated(command, "--where", where, "TAG=VALUE",
                      "Only series with this tag value; the same tag again widens, another tag narrows");
}

CLI::Option* add_field_conditions(CLI::App& command, std::vector<std::string>& conditions) {
  return add_repeated(command, "--if", conditions, "CONDITION",
                      "Only rows with field=1, !=, <, <=, > or >=; all conditions must hold, null fulfils none");
}

CLI::Option* add_dry_run(CLI::App& command, bool& dry_run, const std::string& description) {
  return command.add_flag("--dry-run", dry_run, description);
}

CLI::Option* add_order(CLI::App& command, std::string& order) {
  return add_choice(command, "--order", order, {"time", "series", "any"},
                    "Rows by (time, series), by (series, time), or as the files have them, which is the quickest")
      ->capture_default_str();
}

ScanOrder order_named(const std::string& name) {
  if (name == "series") return ScanOrder::kSeries;
  return name == "any" ? ScanOrder::kAny : ScanOrder::kTime;
}

SegmentFormat segments_named(const std::string& name) {
  return name == "native" ? SegmentFormat::kNative : SegmentFormat::kParquet;
}

CLI::Option* add_compression(CLI::App& command, const std::string& name, std::string& compression,
                             const std::string& whose) {
  return command
      .add_option(name, compression,
                  whose +
                      ": none, delta, double_delta, gorilla, dictionary or auto, with :zstd, :lz4 or :snappy "
                      "behind it if wanted")
      ->type_name("METHOD[:CODEC]");
}

CLI::Option* add_tiered(CLI::App& command, bool& tiered) {
  return command.add_flag("--tiered", tiered, "Merge only where four or more segments of like size are, as jobs do");
}

}  // namespace marigram::cli
