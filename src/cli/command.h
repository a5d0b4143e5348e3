// How subcommands declare themselves. Completions, help and the agreement tests are read off what is declared here.
#pragma once

#include <marigram/scan.h>
#include <marigram/table.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace marigram::cli {

struct Context;

/// What else there is to say of an option or a positional that was declared. A handle, as Command is: what parses the
/// command line has long headers, so it is met in few files.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option required() const;
  /// Its value as it is now is the default, and help says so.
  Option shows_default() const;
  Option says(const std::string& description) const;
  Option positive() const;
  Option not_negative() const;
  Option between(std::uint64_t least, std::uint64_t most) const;
  Option excludes(const std::string& other) const;
  /// It may come without a value, and has this one then.
  Option alone_is(const std::string& value) const;

 private:
  friend class Command;
  CLI::Option* option_;
};

/// A subcommand that is being declared. Names that begin with no dash are positionals.
class Command {
 public:
  Command(CLI::App& app, Context& context) : app_(&app), context_(&context) {}

  /// `metavariable`: what stands for the value in help, by which the completions know what to offer.
  Option option(const std::string& name, std::string& value, const std::string& metavariable,
                const std::string& description) const;
  Option option(const std::string& name, std::uint64_t& value, const std::string& metavariable,
                const std::string& description) const;
  Option option(const std::string& name, std::vector<std::string>& values, const std::string& metavariable,
                const std::string& description) const;
  Option flag(const std::string& name, bool& value, const std::string& description) const;
  /// An option that may be given again; each takes one value.
  Option repeated(const std::string& name, std::vector<std::string>& values, const std::string& metavariable,
                  const std::string& description) const;
  /// An option of several names with commas between; given again, it takes more. `metavariable`: "NAME,...".
  Option names(const std::string& name, std::vector<std::string>& names, const std::string& metavariable,
               const std::string& description) const;
  /// An option with a closed set of values, which is also its metavariable: `table|csv|json`.
  Option choice(const std::string& name, std::string& value, std::initializer_list<const char*> choices,
                const std::string& description) const;
  /// One that was declared before.
  Option declared(const std::string& name) const;
  /// Options that `declare` declares go only with another one, and have a part of the help text for themselves.
  void with(const Option& needed, const std::string& title, const std::function<void()>& declare) const;

  /// Another name that it has.
  void alias(const std::string& name) const;
  /// What is done if it is the chosen one: the exit code.
  void runs(std::function<Result<int>()> run) const;

 private:
  CLI::App* app_;
  Context* context_;
};

/// A subcommand with --json, --help and an example below its help text.
Command add_command(CLI::App& app, Context& context, const std::string& name, const std::string& description,
                    const std::string& example);
/// A subcommand that only has some itself.
CLI::App& add_group(CLI::App& app, const std::string& name, const std::string& description);

/// The positional TABLE. Its metavariable tells the completions to offer folders.
Option add_table(const Command& command, std::string& table);

/// --where TAG=VALUE, as parse_where reads it.
Option add_where(const Command& command, std::vector<std::string>& where);

/// --if FIELD=VALUE, as parse_field_conditions reads it.
Option add_field_conditions(const Command& command, std::vector<std::string>& conditions);

/// --dry-run.
Option add_dry_run(const Command& command, bool& dry_run, const std::string& description);

/// --order time|series|any, and which it is.
Option add_order(const Command& command, std::string& order);
ScanOrder order_named(const std::string& name);

/// Which format the value parquet|native of --segments is.
SegmentFormat segments_named(const std::string& name);
/// --compression or the like, which the library reads. `whose`: "Of native segments".
Option add_compression(const Command& command, const std::string& name, std::string& compression,
                       const std::string& whose);

/// --tiered, of commands that compact.
Option add_tiered(const Command& command, bool& tiered);

// One file each: cmd_<name>.cc.
void add_create(CLI::App& app, Context& context);
void add_import(CLI::App& app, Context& context);
void add_append(CLI::App& app, Context& context);
void add_scan(CLI::App& app, Context& context);
void add_asof(CLI::App& app, Context& context);
void add_window_join(CLI::App& app, Context& context);
void add_latest(CLI::App& app, Context& context);
void add_aggregate(CLI::App& app, Context& context);
void add_export(CLI::App& app, Context& context);
void add_delete(CLI::App& app, Context& context);
void add_truncate(CLI::App& app, Context& context);
void add_coverage(CLI::App& app, Context& context);
void add_gaps(CLI::App& app, Context& context);
void add_window(CLI::App& app, Context& context);
void add_show(CLI::App& app, Context& context);
void add_log(CLI::App& app, Context& context);
void add_diff(CLI::App& app, Context& context);
void add_tag(CLI::App& app, Context& context);
void add_revert(CLI::App& app, Context& context);
void add_segments(CLI::App& app, Context& context);
void add_remove(CLI::App& app, Context& context);
void add_add_column(CLI::App& app, Context& context);
void add_verify(CLI::App& app, Context& context);
void add_checkpoint(CLI::App& app, Context& context);
void add_compact(CLI::App& app, Context& context);
void add_rollup(CLI::App& app, Context& context);
void add_retention(CLI::App& app, Context& context);
void add_tier(CLI::App& app, Context& context);
void add_vacuum(CLI::App& app, Context& context);
void add_clone(CLI::App& app, Context& context);
void add_db(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);

// Those of the group `db`.
void add_db_init(CLI::App& app, Context& context);
void add_db_tables(CLI::App& app, Context& context);
void add_db_write(CLI::App& app, Context& context);
void add_db_query(CLI::App& app, Context& context);
void add_db_explain(CLI::App& app, Context& context);
void add_db_series(CLI::App& app, Context& context);
void add_db_tags(CLI::App& app, Context& context);
void add_db_delete(CLI::App& app, Context& context);
void add_db_truncate(CLI::App& app, Context& context);
void add_db_diff(CLI::App& app, Context& context);
void add_db_tag(CLI::App& app, Context& context);
void add_db_revert(CLI::App& app, Context& context);
void add_db_flush(CLI::App& app, Context& context);
void add_db_compact(CLI::App& app, Context& context);
void add_db_rollup(CLI::App& app, Context& context);
void add_db_retention(CLI::App& app, Context& context);
void add_db_tier(CLI::App& app, Context& context);
void add_db_drop(CLI::App& app, Context& context);
void add_db_undrop(CLI::App& app, Context& context);
void add_db_rename(CLI::App& app, Context& context);
void add_db_vacuum(CLI::App& app, Context& context);
void add_db_jobs(CLI::App& app, Context& context);
void add_db_backup(CLI::App& app, Context& context);
void add_db_verify_backup(CLI::App& app, Context& context);
void add_db_restore(CLI::App& app, Context& context);
void add_db_clone(CLI::App& app, Context& context);
void add_db_stats(CLI::App& app, Context& context);
void add_db_verify(CLI::App& app, Context& context);

}  // namespace marigram::cli
