#include "cli/command.h"

#include "cli/context.h"

#include <marigram/scan.h>

#include <fmt/format.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

template <typename Value>
CLI::Option& add(CLI::App& app, const std::string& name, Value& value, const std::string& metavariable,
                 const std::string& description) {
  return *app.add_option(name, value, description)->type_name(metavariable);
}

}  // namespace

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::shows_default() const {
  option_->capture_default_str();
  return *this;
}

Option Option::says(const std::string& description) const {
  option_->description(description);
  return *this;
}

Option Option::positive() const {
  option_->check(CLI::PositiveNumber.description(""));
  return *this;
}

Option Option::not_negative() const {
  option_->check(CLI::NonNegativeNumber.description(""));
  return *this;
}

Option Option::between(std::uint64_t least, std::uint64_t most) const {
  option_->check(CLI::Range(least, most).description(""));
  return *this;
}

Option Option::excludes(const std::string& other) const {
  option_->excludes(other);
  return *this;
}

Option Option::alone_is(const std::string& value) const {
  option_->expected(0, 1)->default_str(value);
  return *this;
}

Option Command::option(const std::string& name, std::string& value, const std::string& metavariable,
                       const std::string& description) const {
  return Option(add(*app_, name, value, metavariable, description));
}

Option Command::option(const std::string& name, std::uint64_t& value, const std::string& metavariable,
                       const std::string& description) const {
  return Option(add(*app_, name, value, metavariable, description));
}

Option Command::option(const std::string& name, std::vector<std::string>& values, const std::string& metavariable,
                       const std::string& description) const {
  return Option(add(*app_, name, values, metavariable, description));
}

Option Command::flag(const std::string& name, bool& value, const std::string& description) const {
  return Option(*app_->add_flag(name, value, description));
}

Option Command::repeated(const std::string& name, std::vector<std::string>& values, const std::string& metavariable,
                         const std::string& description) const {
  const Option added = option(name, values, metavariable, description + " (repeatable)");
  added.option_->allow_extra_args(false)->take_all();
  return added;
}

Option Command::names(const std::string& name, std::vector<std::string>& names, const std::string& metavariable,
                      const std::string& description) const {
  const Option added = option(name, names, metavariable, description);
  added.option_->delimiter(',')->allow_extra_args(false)->take_all();
  return added;
}

Option Command::choice(const std::string& name, std::string& value, std::initializer_list<const char*> choices,
                       const std::string& description) const {
  const Option added = option(name, value, fmt::format("{}", fmt::join(choices, "|")), description);
  added.option_->check(CLI::IsMember(std::vector<std::string>(choices.begin(), choices.end())).description(""));
  return added;
}

Option Command::declared(const std::string& name) const {
  return Option(*app_->get_option(name));
}

void Command::with(const Option& needed, const std::string& title, const std::function<void()>& declare) const {
  const std::size_t before = app_->get_options().size();
  declare();
  const auto all = app_->get_options();
  for (std::size_t i = before; i < all.size(); ++i) all[i]->needs(needed.option_)->group(title);
}

void Command::alias(const std::string& name) const {
  app_->alias(name);
}

void Command::runs(std::function<Result<int>()> run) const {
  app_->callback([context = context_, run = std::move(run)] { context->chosen = run; });
}

Command add_command(CLI::App& app, Context& context, const std::string& name, const std::string& description,
                    const std::string& example) {
  CLI::App& made = *app.add_subcommand(name, description);
  made.set_help_flag("-h,--help", "Print this help and exit");
  made.footer("Example:\n  " + example);
  const Command command(made, context);
  command.flag("--json", context.json, "Print JSON, errors included");
  return command;
}

CLI::App& add_group(CLI::App& app, const std::string& name, const std::string& description) {
  CLI::App& group = *app.add_subcommand(name, description);
  group.set_help_flag("-h,--help", "Print this help and exit");
  group.require_subcommand(1);
  return group;
}

Option add_table(const Command& command, std::string& table) {
  return command.option("TABLE", table, "FOLDER", "Folder of the table").required();
}

Option add_where(const Command& command, std::vector<std::string>& where) {
  return command.repeated("--where", where, "TAG=VALUE",
                          "Only series with this tag value; the same tag again widens, another tag narrows");
}

Option add_field_conditions(const Command& command, std::vector<std::string>& conditions) {
  return command.repeated("--if", conditions, "CONDITION",
                          "Only rows with field=1, !=, <, <=, > or >=; all conditions must hold, null fulfils none");
}

Option add_dry_run(const Command& command, bool& dry_run, const std::string& description) {
  return command.flag("--dry-run", dry_run, description);
}

Option add_order(const Command& command, std::string& order) {
  return command
      .choice("--order", order, {"time", "series", "any"},
              "Rows by (time, series), by (series, time), or as the files have them, which is the quickest")
      .shows_default();
}

ScanOrder order_named(const std::string& name) {
  if (name == "series") return ScanOrder::kSeries;
  return name == "any" ? ScanOrder::kAny : ScanOrder::kTime;
}

SegmentFormat segments_named(const std::string& name) {
  return name == "native" ? SegmentFormat::kNative : SegmentFormat::kParquet;
}

Option add_compression(const Command& command, const std::string& name, std::string& compression,
                       const std::string& whose) {
  return command.option(name, compression, "METHOD[:CODEC]",
                        whose +
                            ": none, delta, double_delta, gorilla, dictionary or auto, with :zstd, :lz4 or :snappy "
                            "behind it if wanted");
}

Option add_tiered(const Command& command, bool& tiered) {
  return command.flag("--tiered", tiered, "Merge only where four or more segments of like size are, as jobs do");
}

}  // namespace marigram::cli
