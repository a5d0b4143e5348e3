// How subcommands declare themselves. Completions, help and the agreement tests are read off what is declared here.
#pragma once

#include <marigram/scan.h>
#include <marigram/table.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace marigram::cli {

struct Context;

/// A subcommand with --json, --help and an example below its help text.
CLI::App& add_command(CLI::App& app, Context& context, const std::string& name, const std::string& description,
                      const std::string& example);

/// The positional TABLE. Its metavariable tells the completions to offer folders.
CLI::Option* add_table(CLI::App& command, std::string& table);

/// An option that may be given again; each takes one value.
CLI::Option* add_repeated(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                          const std::string& metavariable, const std::string& description);

/// An option of several names with commas between; given again, it takes more. `metavariable`: "NAME,...".
CLI::Option* add_names(CLI::App& command, const std::string& name, std::vector<std::string>& names,
                       const std::string& metavariable, const std::string& description);

/// An option with a closed set of values, which is also its metavariable: `table|csv|json`.
CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& value,
                        std::initializer_list<const char*> choices, const std::string& description);

/// --where TAG=VALUE, as parse_where reads it.
CLI::Option* add_where(CLI::App& command, std::vector<std::string>& where);

/// --if FIELD=VALUE, as parse_field_conditions reads it.
CLI::Option* add_field_conditions(CLI::App& command, std::vector<std::string>& conditions);

/// --dry-run.
CLI::Option* add_dry_run(CLI::App& command, bool& dry_run, const std::string& description);

/// --order time|series|any, and which it is.
CLI::Option* add_order(CLI::App& command, std::string& order);
ScanOrder order_named(const std::string& name);

/// Which format the value parquet|native of --segments is.
SegmentFormat segments_named(const std::string& name);
/// --compression or the like, which the library reads. `whose`: "Of native segments".
CLI::Option* add_compression(CLI::App& command, const std::string& name, std::string& compression,
                             const std::string& whose);

/// --tiered, of commands that compact.
CLI::Option* add_tiered(CLI::App& command, bool& tiered);

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
